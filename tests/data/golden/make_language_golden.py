#!/usr/bin/env python3
"""Writes squad.json, squad_vocab.txt, and what the formulas of run_squad.py and evaluate-v1.1.py make of
them by made-up scores; and glue_*.npy, values of scikit-learn and SciPy.

Run with tokenizers, numpy, scikit-learn and scipy in the folder of the results; made with tokenizers
0.23, scikit-learn 1.9, SciPy 1.17. The formulas are written anew here, from the papers' scripts.
"""
import collections
import json
import random
import re
import string

import numpy as np
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import f1_score, matthews_corrcoef
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

LENGTH, QUERY, STRIDE, BEST, ANSWER = 48, 12, 16, 20, 8
random.seed(5)
generator = np.random.default_rng(5)

PARAGRAPHS = [
    "The Amazon rainforest (Portuguese: Floresta Amazônica; Spanish: Selva Amazónica), also known in English as "
    "Amazonia, is a moist broadleaf forest that covers most of the Amazon basin of South America. This basin "
    "encompasses 7,000,000 square kilometres (2,700,000 sq mi), of which 5,500,000 are covered by the rainforest.",
    "Super Bowl 50 was an American football game. The Denver Broncos defeated the Carolina Panthers 24–10 to earn "
    "their third title. It was played on February 7, 2016, at Levi's Stadium in Santa Clara, California.",
    "Steve Smith's father\u00a0was born  in\tKøbenhavn;\u202fhe moved to the U.S. in 1901.",
    "北京是中国的首都。 It has 21.5 million people — an old city, “Běijīng”.",
    "Victoria (abbreviated as Vic) is a state in the south-east of Australia. Most of its population is concentrated in "
    "the area surrounding Port Phillip Bay, which includes its capital and largest city, Melbourne, which is "
    "Australia's second-largest city. Geographically the smallest state on the Australian mainland, Victoria is "
    "bordered by Bass Strait and Tasmania to the south, New South Wales to the north, the Tasman Sea to the east.",
    "a",
]
QUESTIONS = ["What is it called in English?", "Which name is also used to describe the Amazon rainforest in English?",
             "Who won?", "When was it, and where, and why, and with whom did they play on that day?", "Where?", ""]

articles = []
count = 0
for number, context in enumerate(PARAGRAPHS):
    questions = []
    for question in random.sample(QUESTIONS, 4):
        words = context.split()
        answers = []
        for _ in range(random.randrange(1, 5)):
            start = random.randrange(len(words))
            text = " ".join(words[start : start + random.randrange(1, 6)])
            answers.append({"text": random.choice([text, text.upper(), "the " + text, text.strip(".,;()")]),
                            "answer_start": 0})
        questions.append({"id": f"q{count}", "question": question, "answers": answers})
        count += 1
    paragraph = {"context": context, "qas": questions}
    if number % 2:
        paragraph = dict(reversed(paragraph.items()))
    articles.append({"title": f"t{number}", "paragraphs": [paragraph]})
with open("squad.json", "w", encoding="utf-8") as file:
    json.dump({"version": "1.1", "data": articles}, file, ensure_ascii=False, indent=1)

normalizer = BertNormalizer()


def basic(text):
    return [word for word, _ in BertPreTokenizer().pre_tokenize_str(normalizer.normalize_str(text))]


pieces = set()
for text in PARAGRAPHS + QUESTIONS:
    for word in basic(text):
        at = 0
        while at < len(word):
            size = random.choice([1, 2, 4, 9])
            pieces.add(("##" if at else "") + word[at : at + size])
            at += size
vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + sorted(p for p in pieces if random.random() < 0.95)
with open("squad_vocab.txt", "w", encoding="utf-8", newline="\n") as file:
    file.writelines(piece + "\n" for piece in vocabulary)
tokenizer = Tokenizer(WordPiece({p: n for n, p in enumerate(vocabulary)}, unk_token="[UNK]",
                                max_input_chars_per_word=100))
tokenizer.normalizer = normalizer
tokenizer.pre_tokenizer = BertPreTokenizer()


def tokens_of(text):
    return tokenizer.encode(text).tokens


# ---- features
Feature = collections.namedtuple("Feature", "question tokens types word_at most_context")
features = []
entries = [(paragraph["context"], question) for article in articles for paragraph in article["paragraphs"]
           for question in paragraph["qas"]]


def words_of(context):
    return [word for word in re.split("[ \t\r\n\u202f]", context) if word]


for index, (context, question) in enumerate(entries):
    query = tokens_of(question["question"])[:QUERY]
    all_tokens, word_of = [], []
    for number, word in enumerate(words_of(context)):
        for token in tokens_of(word):
            all_tokens.append(token)
            word_of.append(number)
    room = LENGTH - len(query) - 3
    spans, start = [], 0
    while start < len(all_tokens):
        size = min(len(all_tokens) - start, room)
        spans.append((start, size))
        if start + size == len(all_tokens):
            break
        start += min(size, STRIDE)
    for span, (start, size) in enumerate(spans):
        tokens = ["[CLS]"] + query + ["[SEP]"]
        types = [0] * len(tokens)
        word_at, most = {}, {}
        for i in range(start, start + size):
            scores = [min(i - s, s + n - 1 - i) + 0.01 * n if s <= i < s + n else -1 for s, n in spans]
            word_at[len(tokens)] = word_of[i]
            most[len(tokens)] = scores.index(max(scores)) == span
            tokens.append(all_tokens[i])
            types.append(1)
        features.append(Feature(index, tokens + ["[SEP]"], types + [1], word_at, most))

ids = np.zeros((len(features), 3, LENGTH), np.int64)
for row, feature in enumerate(features):
    used = len(feature.tokens)
    ids[row, 0, :used] = [vocabulary.index(token) for token in feature.tokens]
    ids[row, 1, :used] = 1
    ids[row, 2, :used] = feature.types
np.save("squad_inputs.npy", ids)

# ---- scores: a few equal ones, and some features that are sure of a place
scores = generator.normal(0, 2, (2, len(features), LENGTH)).round(1).astype(np.float32)
for row, feature in enumerate(features):
    if row % 2:
        place = random.choice(list(feature.word_at))
        scores[0, row, place] += 6
        scores[1, row, min(place + random.randrange(6), LENGTH - 1)] += 6
np.save("squad_scores.npy", scores)


# ---- answers
def final_text(pieces_text, original):
    def without_blanks(text):
        places = [i for i, c in enumerate(text) if c != " "]
        return "".join(text[i] for i in places), places

    tokenized = " ".join(basic(original))
    start = tokenized.find(pieces_text)
    if start < 0:
        return original
    end = start + len(pieces_text) - 1
    original_letters, original_places = without_blanks(original)
    tokenized_letters, tokenized_places = without_blanks(tokenized)
    if len(original_letters) != len(tokenized_letters):
        return original
    back = {place: number for number, place in enumerate(tokenized_places)}
    if start not in back or end not in back:
        return original
    return original[original_places[back[start]] : original_places[back[end]] + 1]


def best_answer(question):
    found = []
    for row, feature in enumerate(features):
        if feature.question != question:
            continue
        order = [sorted(range(LENGTH), key=lambda i: -float(scores[k, row, i]))[:BEST] for k in (0, 1)]
        for start in order[0]:
            for end in order[1]:
                if (start in feature.word_at and end in feature.word_at and feature.most_context[start]
                        and start <= end < start + ANSWER):
                    found.append((float(scores[0, row, start]) + float(scores[1, row, end]), row, start, end))
    if not found:
        return ""
    _, row, start, end = max(found, key=lambda f: f[0])  # the first of equals
    feature = features[row]
    text = " ".join(feature.tokens[start : end + 1]).replace(" ##", "").replace("##", "")
    words = words_of(entries[question][0])[feature.word_at[start] : feature.word_at[end] + 1]
    return final_text(" ".join(text.split()), " ".join(words))


answers = [best_answer(question) for question in range(len(entries))]
with open("squad_answers.txt", "w", encoding="utf-8", newline="\n") as file:
    file.writelines(answer + "\n" for answer in answers)


# ---- evaluation
def normalise(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def f1(answer, truth):
    answer, truth = normalise(answer), normalise(truth)
    common = sum((collections.Counter(answer) & collections.Counter(truth)).values())
    if common == 0:
        return 0
    precision, recall = common / len(answer), common / len(truth)
    return 2 * precision * recall / (precision + recall)


total = sum(max(f1(answer, truth["text"]) for truth in question["answers"])
            for answer, (_, question) in zip(answers, entries))
np.save("squad_f1.npy", np.array(100.0 * total / len(entries)))
print(len(features), "features,", len(entries), "questions, F1", 100.0 * total / len(entries))
PAIRS = [("The U.S.", "the us"), ("a–the–b", "b"), ("An apple, the apple", "apple apple pie"), ("", "x"), ("the", "the"),
         ("ÄÖ straße", "äö STRASSE"), ("x y z", "z  y\tq"), ("the\u0301 cat", "cat"), ("a_the_b", "atheb")]
with open("squad_pairs.txt", "w", encoding="utf-8", newline="\n") as file:
    for one, other in PAIRS:
        file.write(f"{one.encode().hex()} {other.encode().hex()} {f1(one, other)!r}\n")

# ---- GLUE
labels = generator.integers(0, 2, 64)
logits = generator.normal(0, 1, (64, 2)).astype(np.float32)
logits[np.arange(64), labels] += 0.7
guess = logits.argmax(1)
np.save("glue_labels.npy", labels.astype(np.int64))
np.save("glue_scores.npy", logits)
numbers = (generator.integers(0, 26, 64) / 5).astype(np.float32)
guesses = (numbers + generator.normal(0, 1, 64)).round(1).astype(np.float32)
np.save("glue_numbers.npy", numbers)
np.save("glue_guesses.npy", guesses)
pair = (guesses.astype(float), numbers.astype(float))
values = [(guess == labels).mean(), f1_score(labels, guess), matthews_corrcoef(labels, guess),
          (pearsonr(*pair)[0] + spearmanr(*pair)[0]) / 2]
np.save("glue_values.npy", np.array(values))
print("GLUE", values)
