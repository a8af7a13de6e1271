#!/usr/bin/env python3
"""Writes wordpiece_vocab.txt and wordpiece_cases.txt: texts and what BERT's tokenizer makes of them.

Run with `tokenizers` in the folder of the results; made with tokenizers 0.23. A line of cases: the
text's UTF-8 in hexadecimal, its pieces in lower case, its pieces as it is. Characters younger than
Unicode 7 are left out: the tables of `tokenizers` do not know them all.
"""
import random
import sys
import unicodedata

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

if sys.version_info[:2] != (3, 11):
    print("made with the Unicode tables of Python 3.11; others may choose other characters")
random.seed(20)

TEXTS = [
    "", " ", "\t\r\n", "unaffable", "UNwanted,running", "Hello, World!", "don't can't I'm",
    "  many   spaces\tand\nlines\r\n", "a\u00a0b\u2003c\u3000d\u2028e\u2029f\u0085g\u000bh\u200bi",
    "naïve café Ångström ÅNGSTRÖM A\u030angstro\u0308m", "ÀÉÎÕÜ àéîõü ÇŁØÆŒ ßẞ",
    "İstanbul ISPARTA ıstanbul dİı", "ΑΣΦΑΛΗΣ ΟΔΟΣ ς Σ σ ὈΔΥΣΣΕΎΣ ᾳ ῃ Ά",
    "Привет, мир! Ёлка й Й", "Ελληνικά κείμενο;\u037e τόνος", "שָׁלוֹם עולם", "اَلسَّلَامُ عَلَيْكُمْ ١٢٣",
    "हिन्दी नमस्ते क़ ड़", "ภาษาไทย น้ำ", "தமிழ் కన్నడ ಕನ್ನಡ", "한국어 텍스트 각", "ひらがなガギグゲ カタカナ",
    "中文分词 Chinese中文mixed文字", "日本語のテキスト。", "豈更車 \uf900\ufa0e", "𠀀𪜀 \U0002f800x",
    "emoji 😀👍🏽 👨\u200d👩\u200d👧", "ﬁ ﬂ ﬀ Ⅷ ① ½ ² ℃ ㎏", "¿Qué? ¡Sí! «quoted» “double” ‘single’ – — … ‰",
    "$100.50 €20 £30 ¥40 50% #tag @user a+b=c x^2 `code` a|b ~home <tag> [CLS] [SEP] [MASK] [UNK] [PAD]",
    "http://example.com/path?query=1&b=2#frag user@example.com", "##ing ## # #a", "word" * 24 + "word",
    "x" * 100, "x" * 101, "é" * 100 + " " + "é" * 101, "e\u0301" * 101, "\u0301\u0300", "a\u0301\u0323b \u0323\u0301",
    "\ufffd\u0000\u0001\u001f\u007f\u0080\u009f\u00ad\ufeffbom\u200e\u200f\u202a", "\ue000private\uf8ff",
    "tab\tseparated\tvalues", "CamelCaseWord snake_case kebab-case", "1,234.56 1e-5 0x1F 3/4", "a.b.c.d...e",
    "ǅ ǆ Ǆ ŉ ǰ ΐ", "K Å Ω µ μ", "\u1e9b\u0323 ſ", "Ａｂｃ　１２３！", "ꙮ Ꙑ Ⴀ ⴀ Ա ա", "𝐀𝐁 𝔘𝔫𝔦 𐐀𐐨",
    "'\"'\"\\/", "؟ ، ؛ ۔ । ॥ ၊ ။ ። 、。「」", "\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "ﷺ ﷲ",
]


def is_old(character):
    """Whether Unicode 7 has it, as near as Python can say."""
    young = [(0x8b3, 0x8e2), (0x1c80, 0x1c88), (0xa7ae, 0xa7ff), (0xab70, 0xabbf), (0x13f6, 0x13ff)]
    code = ord(character)
    if unicodedata.category(character) in ("Cn", "Cs", "Cf"):
        return False
    return code < 0x10000 and not any(first <= code <= last for first, last in young)


# The blocks from which random texts come; each was complete by Unicode 7 but for some of is_old.
BLOCKS = [(0x20, 0x7e), (0xa0, 0x24f), (0x250, 0x2af), (0x300, 0x36f), (0x370, 0x3ff), (0x400, 0x52f),
          (0x531, 0x58a), (0x591, 0x5f4), (0x600, 0x6ff), (0x901, 0x977), (0xe01, 0xe5b), (0x10a0, 0x10ff),
          (0x1100, 0x11ff), (0x1e00, 0x1eff), (0x1f00, 0x1fff), (0x2000, 0x206f), (0x20a0, 0x20bd),
          (0x2100, 0x218b), (0x2190, 0x23f3), (0x2460, 0x24ff), (0x2c00, 0x2c7f), (0x3000, 0x30ff),
          (0x4e00, 0x9fcc), (0xac00, 0xd7a3), (0xf900, 0xfad9), (0xfb00, 0xfb4f), (0xff01, 0xffdc)]


def random_text():
    text = ""
    while len(text) < random.randrange(4, 60):
        first, last = random.choice(BLOCKS) if random.random() < 0.5 else random.choice(BLOCKS[:6])
        for _ in range(random.randrange(1, 8)):
            character = chr(random.randint(first, last))
            if is_old(character):
                text += character
        if random.random() < 0.5:
            text += random.choice([" ", "\t", ", ", ".", "'", "\n", "-", "\u0301"])
    return text


texts = TEXTS + [random_text() for _ in range(600)]


def normalised(lower):
    return BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=lower)


def words_of(text, lower):
    return [word for word, _ in BertPreTokenizer().pre_tokenize_str(normalised(lower).normalize_str(text))]


# A vocabulary that has most of what the texts need, in pieces of several lengths.
pieces = set()
for text in texts:
    for lower in (True, False):
        for word in words_of(text, lower):
            at = 0
            while at < len(word):
                length = random.choice([1, 1, 2, 3, 5, 20])
                if random.random() < 0.93:
                    pieces.add(("##" if at else "") + word[at : at + length])
                at += length
vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
vocabulary += [piece for piece in sorted(pieces) if random.random() < 0.9 and piece not in vocabulary]
with open("wordpiece_vocab.txt", "w", encoding="utf-8", newline="\n") as file:
    file.writelines(piece + "\n" for piece in vocabulary)

numbers = {piece: number for number, piece in enumerate(vocabulary)}
tokenizers = []
for lower in (True, False):
    tokenizer = Tokenizer(WordPiece(numbers, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalised(lower)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizers.append(tokenizer)
with open("wordpiece_cases.txt", "w", encoding="ascii", newline="\n") as file:
    for text in texts:
        columns = [text.encode().hex()]
        columns += [" ".join(map(str, tokenizer.encode(text).ids)) for tokenizer in tokenizers]
        file.write("\t".join(columns) + "\n")
