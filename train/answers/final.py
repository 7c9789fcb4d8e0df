"""The part of a reply that answers: without reasoning, control tokens, and what a model goes on to ask itself.

What is taken off, in this order: reasoning in `<think>`, `<thinking>`, `<reasoning>`, `<analysis>`, `[THINK]`, `◁think▷` and
the channels of gpt-oss; a reasoning block that never ends takes all that follows it; where only its end is there (its
beginning stands in many templates' prompts), all before the end. Then control tokens (`<|im_end|>`, `</s>`, `<eos>`, …), from
the next turn of a user on, and the name of the assistant's turn before the text.
"""

from __future__ import annotations

import re

_NAMES = "think|thinking|thought|reasoning|analysis|reflection|scratchpad"
_OPEN, _CLOSE = rf"(?:<(?:{_NAMES})>|\[THINK\]|◁think▷)", rf"(?:</(?:{_NAMES})>|\[/THINK\]|◁/think▷)"
_LAST_CLOSE = re.compile(rf"^.*{_CLOSE}", re.DOTALL | re.IGNORECASE)
_UNCLOSED = re.compile(rf"{_OPEN}.*$", re.DOTALL | re.IGNORECASE)
_CHANNEL = re.compile(r"^.*<\|channel\|>final<\|message\|>", re.DOTALL)
_ANALYSIS = re.compile(r"<\|channel\|>(?:analysis|commentary)<\|message\|>.*$", re.DOTALL)
_NEXT_TURN = re.compile(
    r"(?:<\|im_start\|>\s*user|<start_of_turn>\s*user|<\|start_header_id\|>\s*user|\[INST\]"
    r"|(?<=\S)\s*\n\s*(?:#+\s*)?(?:USER|User|Human|HUMAN)\s*:).*$",
    re.DOTALL,
)
_CONTROL = re.compile(
    r"<\|(?!begin_of_box|end_of_box)[a-z_]+\|>|</?s>|<eos>|<bos>|<pad>|<unk>|<(?:start|end)_of_turn>"
    r"|<end_of_utterance>|\[/INST\]|�"
)
_ASSISTANT = re.compile(r"^\s*(?:#+\s*)?(?:assistant|model|gpt|bot)\s*(?::|\n)\s*", re.IGNORECASE)


def final(reply: str) -> str:
    """The answering part, trimmed; "" where there is none."""
    text = _CHANNEL.sub("", reply)
    text = _ANALYSIS.sub("", text)
    text = _UNCLOSED.sub("", _LAST_CLOSE.sub("", text))
    text = _CONTROL.sub(" ", _NEXT_TURN.sub("", text))
    return _ASSISTANT.sub("", text).strip()


def reasoned(reply: str) -> bool:
    """Whether there is text in the reply at all, reasoning included."""
    return bool(_CONTROL.sub("", reply).strip())
