"""What columns are called that play a part in examples: plain names, the most telling ones first."""

QUESTIONS = (
    "prompt", "question", "instruction", "input", "inputs", "query", "problem",
    "user", "human", "source", "q", "message", "request",
    "customer", "title", "document", "article", "dialogue", "post", "text", "frage", "pregunta", "domanda", "pergunta",
    "вопрос", "问题", "質問", "질문", "questions", "aufgabe", "aufgabenstellung", "fragestellung", "fragen", "exercise",
    "ejercicio", "exercice", "esercizio", "eingabe", "task",
)  # fmt: skip
ANSWERS = (
    "completion", "answer", "response", "output", "outputs", "target", "targets", "reply", "assistant", "chosen",
    "answers", "bot", "model", "gpt", "a", "summary", "highlights", "solution", "antwort", "respuesta", "risposta",
    "resposta", "reponse", "réponse", "ответ", "答案", "回答", "답변", "lösung", "loesung", "musterlösung", "antworten",
    "solución", "solucion", "soluzione", "solução", "ausgabe", "responses", "solutions",
)  # fmt: skip
TEXTS = ("text", "sentence", "review", "message", "content", "comment", "tweet", "headline", "utterance", "email",
          "mail", "body", "question", "query", "title", "description", "input", "review_text", "reviewtext",
          "review_body", "reviews", "comments", "feedback", "rezension", "kommentar", "bewertungstext",
          "nachricht")  # fmt: skip
LABELS = ("label", "labels", "category", "class", "intent", "topic", "sentiment", "tag", "emotion", "label_text",
           "type", "target", "kategorie", "stars", "star_rating", "rating", "score", "sterne", "bewertung",
           "polarity", "klasse")  # fmt: skip
RATINGS = ("stars", "star_rating", "rating", "score", "sterne", "bewertung")
TAGS = ("labels", "label", "tags", "topics", "keywords", "categories", "category", "genres", "intents", "emotions",
         "entities", "schlagworte")  # fmt: skip
THUMBS = ("label", "thumb", "thumbs", "feedback", "rating", "liked", "vote", "desirable", "is_good", "good",
           "is_preferred", "kto_tag", "helpful", "accepted")  # fmt: skip
EXTRAS = ("input", "context", "passage", "background")
TRUTHS = ("ground_truth", "reference_answer", "reference", "final_answer", "gold_answer", "gold", "expected_answer",
           "target_answer", "reward_model", "verification_info")  # fmt: skip
PROBLEMS = ("problem", "problems")
PROMPTS = ("prompt", "prompts", *PROBLEMS)
ASKED = (*PROMPTS, "question", "instruction", "query")
TOOLS = ("tools", "functions", "available_tools", "tool_list")
DOCUMENTS = ("text", "content", "document", "body", "raw_content", "markdown", "passage", "article", "page_content")
CAPTIONS = ("caption", "text", "description", "captions", "alt_text", "alt", "sentence")
NOT_CONTENT = ("id", "idx", "index", "uuid", "row", "unnamed_0", "column_1", "key", "source_id", "split", "url")
ABOUT = (*NOT_CONTENT, "title", "source", "date", "timestamp", "time", "author", "language", "lang", "name", "file",
          "path", "page", "section", "heading", "licence", "license", "domain", "created", "dump")  # fmt: skip
