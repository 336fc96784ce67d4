"""A person's columns become examples: the choice of columns (`mapping`) and what rows become by it (`convert`)."""

from facet.dataset.convert import Converter, to_conversation
from facet.dataset.mapping import Mapping, ShapeKind, check_mapping, parse_mapping, to_read

__all__ = ["Converter", "Mapping", "ShapeKind", "check_mapping", "parse_mapping", "to_conversation", "to_read"]
