"""A model here: batches change nothing, prompts are as in training, adapters and special tokens are kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import torch
from tiny_models import WITHOUT_TORCHVISION

from medloom.schema.errors import UsageError
from medloom.train.predicting.backend import Turns
from medloom.train.predicting.model_files import ModelFiles, not_loaded
from medloom.train.predicting.transformers_backend import Decoding, TransformersBackend

SHORT = Decoding(max_new_tokens=6)


def opened(folder: Path, **options: Any) -> TransformersBackend:
    return TransformersBackend.open(folder, **{"device": "cpu", "decoding": SHORT, **options})


@pytest.mark.parametrize("family", WITHOUT_TORCHVISION)
def test_batches_give_what_one_by_one_gives(family: str, model: Callable[[str], Path], some: list[Turns]):
    folder = model(family)
    batched, single = (opened(folder, batch_size=size).replies(some) for size in (4, 1))
    assert [one.text for one in batched] == [one.text for one in single]
    assert [one.prompt_tokens for one in batched] == [one.prompt_tokens for one in single]
    assert all(one.error is None and one.finish in ("stop", "length") for one in batched)
    assert all(one.reply_tokens is not None and one.reply_tokens <= SHORT.max_new_tokens for one in batched)
    assert batched[-1].prompt_tokens > max(one.prompt_tokens for one in batched[:-1])


def test_a_prompt_has_one_beginning_and_as_many_pictures_as_were_given(model, some):
    backend = opened(model("llava"))
    batch = backend._batch([backend._prompt(one) for one in some[-1:]], [list(some[-1].pictures)])
    assert batch["pixel_values"].shape[0] == 3
    told = backend.processor.tokenizer.decode(batch["input_ids"][0])
    assert told.count("<|im_start|>user") == 3
    assert told.endswith("<|im_start|>assistant\n")


def test_turns_without_a_picture_are_answered(model):
    words = Turns([{"role": "user", "content": [{"type": "text", "text": "What is shown here?"}]}], [])
    [reply] = opened(model("llava")).replies([words])
    assert reply.text is not None


def test_labels_of_a_processor_never_reach_the_model(model, some):
    backend = opened(model("llava"))
    inner = backend.processor

    class Labelling:
        tokenizer, image_processor = inner.tokenizer, inner.image_processor
        apply_chat_template = inner.apply_chat_template

        def __call__(self, **given: Any) -> Any:
            made = inner(**given)
            made["labels"] = made["input_ids"].clone()
            return made

    labelled = TransformersBackend.of(backend.model, Labelling(), decoding=SHORT)
    assert labelled.replies(some) == backend.replies(some)


def test_what_ends_a_reply_is_cut_off_and_special_tokens_stay(model):
    backend = opened(model("llava"))
    tokenizer = backend.processor.tokenizer
    ids = tokenizer("liver<image>", add_special_tokens=False)["input_ids"]
    ended = backend._reply([*ids, tokenizer.eos_token_id, *ids], tokenizer, prompt_tokens=3)
    assert (ended.text, ended.finish, ended.reply_tokens) == ("liver<image>", "stop", len(ids))
    assert backend._reply(ids, tokenizer, prompt_tokens=3).finish == "length"


def test_sampling_is_drawn_from_its_seed(model, some):
    folder = model("llava")
    hot = [opened(folder, decoding=replace(SHORT, temperature=2.0, seed=seed)).replies(some) for seed in (1, 1, 2)]
    assert hot[0] == hot[1] != hot[2]


def test_an_adapter_is_put_on_its_base(model, some, tmp_path: Path):
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForImageTextToText

    base = model("llava")
    torch.manual_seed(3)
    config = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False)
    loaded: Any = AutoModelForImageTextToText.from_pretrained(base)
    adapted: Any = get_peft_model(loaded, config)
    adapted.save_pretrained(tmp_path / "adapter")
    processor = opened(base).processor
    expected = TransformersBackend.of(adapted, processor, decoding=SHORT).replies(some)
    with_it = opened(tmp_path / "adapter")
    assert [one.text for one in with_it.replies(some)] == [one.text for one in expected]
    assert [one.text for one in opened(base).replies(some)] != [one.text for one in expected]
    assert with_it.settings["adapter"] == "adapter"
    assert with_it.settings["model"] == base.name


def test_settings_name_no_path_and_tell_other_weights_apart(model, tmp_path: Path):
    folder = model("llava")
    settings = dict(opened(folder).settings)
    assert str(folder.parent) not in json.dumps(settings)
    assert settings["family"] == "llava"
    assert settings["dtype"] == "float32"
    other = opened(folder, dtype="bfloat16")
    assert other.settings["dtype"] == "bfloat16"
    other.model.save_pretrained(tmp_path / folder.name)
    told = ModelFiles.of(tmp_path / folder.name).told
    assert told["model"] == settings["model"]
    assert told["model_digest"] != settings["model_digest"]


def test_a_run_is_known_by_its_final_model(model, tmp_path: Path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "model").symlink_to(model("llava"))
    assert ModelFiles.of(run).model == str(run / "model")


def test_folders_without_a_model(tmp_path: Path):
    with pytest.raises(UsageError, match=r"no config.json"):
        ModelFiles.of(tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        ModelFiles.of(tmp_path / "nowhere")
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(UsageError, match="names no base"):
        ModelFiles.of(tmp_path)
    assert ModelFiles.of(tmp_path, base="org/base").model == "org/base"
    (tmp_path / "whole").mkdir()
    (tmp_path / "whole" / "config.json").write_text("{}")
    with pytest.raises(UsageError, match="expected an adapter, or no base"):
        ModelFiles.of(tmp_path / "whole", base="org/base")
    assert ModelFiles.of("org/name", revision="v1").told == {
        "model": "org/name", "adapter": None, "revision": "v1",
    }  # fmt: skip


def test_a_folder_that_transformers_cannot_load(tmp_path: Path):
    (tmp_path / "config.json").write_text('{"model_type": "nothing-of-ours"}')
    with pytest.raises(UsageError, match="expected a vision-language model that transformers loads"):
        opened(tmp_path)


def _cut(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])


def _without_template(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()


@pytest.mark.parametrize(
    ("harm", "options", "told"),
    [
        (_cut, {}, "expected a vision-language model"),
        (_without_template, {}, "no chat template"),
        (None, {"dtype": "float7"}, "float7"),
        (None, {"device": "warp"}, "device warp: .*expected cpu"),
        (None, {"attention": "zebra"}, "zebra"),
    ],
)
def test_what_can_not_be_opened_is_told_in_one_line(model, tmp_path: Path, harm: Any, options: dict, told: str):
    folder = Path(copytree(model("llava"), tmp_path / "model"))
    if harm is not None:
        harm(folder)
    with pytest.raises(UsageError, match=told) as raised:
        opened(folder, **options)
    assert "\n" not in str(raised.value)


def test_what_a_model_lacks_is_told_in_one_line():
    theirs = "\nQwen2VLVideoProcessor requires the Torchvision library but it was not found in your environment.\nSee the page"
    assert str(not_loaded("org/name", ImportError(theirs))).endswith("pip install torchvision")
    gone = not_loaded("org/name", OSError("can't reach the Hub.\nMore on that"))
    assert str(gone).startswith("org/name: can't reach the Hub; expected")
