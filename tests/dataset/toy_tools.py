"""A conversation with a tool, and small templates that know tools in the two ways that are common."""

from pathlib import Path

from tests.dataset import toy

WEATHER = {
    "name": "weather",
    "description": "Tells the weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
DECLARED = [{"type": "function", "function": WEATHER}]
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": {"city": "Lima"}}}
ASKED = {"role": "user", "content": "How is it in Lima?"}
CALLED = {"role": "assistant", "content": "", "tool_calls": [CALL]}
RESULT = {"role": "tool", "content": "sunny", "name": "weather"}
TOLD = {"role": "assistant", "content": "It is sunny."}
TALK = [ASKED, CALLED, RESULT, TOLD]

# As Gemma 4 and FunctionGemma: a call and what comes back stand in one turn of the model.
ONE_TURN = """{{ bos_token }}
{%- if tools or messages[0].role == 'system' -%}
<start_of_turn>developer
{{ messages[0].content if messages[0].role == 'system' }}
{%- for tool in tools or [] %}
<tool>{{ tool.function.name }}:{{ tool.function.description | lower }}:{{ tool.function | tojson }}
{%- endfor %}<end_of_turn>
{% endif -%}
{%- set ns = namespace(open=false) -%}
{%- for message in messages if message.role != 'system' -%}
    {%- if message.role == 'tool' -%}
        <result>{{ message.name }}:{{ message.content }}</result>
    {%- else -%}
        {%- if not ns.open -%}
            {{ '<start_of_turn>' + ('model' if message.role == 'assistant' else message.role) + '\\n' }}
        {%- endif -%}
        {{ message.content | trim }}
        {%- for call in message.tool_calls or [] -%}
            <call>{{ call.function.name }}{{ call.function.arguments | tojson }}</call>
        {%- endfor -%}
        {%- set ns.open = message.tool_calls and not loop.last -%}
        {%- if not message.tool_calls -%}{{ '<end_of_turn>\\n' }}{%- endif -%}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt and messages[-1].role != 'tool' -%}{{ '<start_of_turn>model\\n' }}{%- endif -%}
"""

# As Qwen and many others: what comes back is a turn of its own.
OWN_TURN = """{{ bos_token }}
{%- if tools %}<start_of_turn>system
{{ tools | tojson }}<end_of_turn>
{% endif -%}
{%- for message in messages -%}
    {{ '<start_of_turn>' + message.role + '\\n' + message.content }}
    {%- for call in message.tool_calls or [] -%}
        <call>{{ call.function.name }}{{ call.function.arguments | tojson }}</call>
    {%- endfor -%}
    {{ '<end_of_turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<start_of_turn>assistant\\n' }}{% endif -%}
"""
TEMPLATES = {"one turn": ONE_TURN, "own turn": OWN_TURN}


def save_model(folder: Path, template: str = ONE_TURN) -> Path:
    return toy.save_model(folder, template=template)
