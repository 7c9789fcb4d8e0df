"""Tiny vision-language models with random weights, and processors whose tokens fit a corpus: the families' real classes.

llava, idefics3 and gemma3 need no torchvision; qwen2_5_vl, qwen3_vl, internvl and smolvlm have a video processor, which does.
"""

from __future__ import annotations

import string
from collections.abc import Iterable
from pathlib import Path
from typing import Any

WITHOUT_TORCHVISION = ("llava", "idefics3", "gemma3")
WITH_TORCHVISION = ("qwen2_5_vl", "qwen3_vl", "internvl", "smolvlm")

_TURNS = """{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\n' -}}
{%- macro words(content) -%}
{%- if content is string -%}{{ content }}{%- else -%}
{%- for part in content -%}{%- if part['type'] == 'image' -%}IMAGE{%- else -%}{{ part['text'] }}{%- endif -%}{%- endfor -%}
{%- endif -%}
{%- endmacro -%}
{%- if message['role'] == 'assistant' -%}
{%- generation -%}{{- words(message['content']) + '<|im_end|>\n' -}}{%- endgeneration -%}
{%- else -%}{{- words(message['content']) + '<|im_end|>\n' -}}{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n' -}}{%- endif -%}"""

_IMAGE = {
    "llava": "<image>",
    "idefics3": "<image>",
    "smolvlm": "<image>",
    "gemma3": "<start_of_image>",
    "internvl": "<IMG_CONTEXT>",
    "qwen2_5_vl": "<|vision_start|><|image_pad|><|vision_end|>",
    "qwen3_vl": "<|vision_start|><|image_pad|><|vision_end|>",
}
_ROWS = {f"row_{row}_col_{column}": f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)}
_IDEFICS = {
    "image_token": "<image>",
    "fake_image_token": "<fake_token_around_image>",
    "global_image_token": "<global-img>",
    "end_of_utterance_token": "<end_of_utterance>",
}
_QWEN = {
    "image_token": "<|image_pad|>",
    "video_token": "<|video_pad|>",
    "vision_bos_token": "<|vision_start|>",
    "vision_eos_token": "<|vision_end|>",
}
_SPECIAL = {
    "llava": {"image_token": "<image>"},
    "idefics3": _IDEFICS,
    "smolvlm": _IDEFICS,
    "gemma3": {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>"},
    "internvl": {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    },
    "qwen2_5_vl": _QWEN,
    "qwen3_vl": _QWEN,
}
_EYE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
_MIND = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}


def tiny(family: str, folder: Path, corpus: Iterable[str], *, whole: Iterable[str] = ()) -> Path:
    """The folder with a model of the family (about 150 000 random float32 parameters, seed 0) and its processor.

    The tokenizer is a byte-level BPE of up to 600 tokens over the corpus, in which every digit, letter and sign of a place is
    a token of its own, so that any text can be written and read. What is `whole` becomes one token each: with lines of options
    a model this small sees at once which letter bears which words, instead of having to learn to look it up.
    """
    import torch

    tokenizer = _tokenizer(family, corpus)
    tokenizer.add_tokens(sorted(set(whole)))
    torch.manual_seed(0)
    model = _MODELS[family](tokenizer)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder)
    _PROCESSORS[family](tokenizer, _TURNS.replace("IMAGE", f"{{{{ '{_IMAGE[family]}' }}}}")).save_pretrained(folder)
    return folder


def bare(family: str) -> Any:
    """A model of the family without its processor, which needs no torchvision in any family."""
    return _MODELS[family](_tokenizer(family, ["words"]))


def _tokenizer(family: str, corpus: Iterable[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models
    from tokenizers.pre_tokenizers import ByteLevel, Digits, Punctuation, Sequence
    from tokenizers.trainers import BpeTrainer
    from transformers import PreTrainedTokenizerFast

    special = _SPECIAL[family] | (_ROWS if family in ("idefics3", "smolvlm") else {})
    tokens = Tokenizer(models.BPE())
    tokens.pre_tokenizer = Sequence([Digits(individual_digits=True), Punctuation(), ByteLevel(add_prefix_space=False)])
    tokens.decoder = decoders.ByteLevel()
    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<pad>", *special.values()]
    trainer = BpeTrainer(vocab_size=600, initial_alphabet=ByteLevel.alphabet(), special_tokens=marks, show_progress=False)
    tokens.train_from_iterator([*sorted(set(corpus)), string.ascii_letters, string.digits], trainer)
    named = special if family not in ("idefics3", "smolvlm") else _IDEFICS
    return PreTrainedTokenizerFast(
        tokenizer_object=tokens,
        eos_token="<|im_end|>",
        pad_token="<pad>",
        bos_token="<|endoftext|>",
        padding_side="left",
        model_max_length=4096,
        extra_special_tokens=named,
    )


def _ends(tokenizer: Any) -> dict[str, int]:
    return {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }


def _llava(tokenizer: Any) -> Any:
    from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

    return LlavaForConditionalGeneration(
        LlavaConfig(
            vision_config=CLIPVisionConfig(projection_dim=32, image_size=28, patch_size=7, **_EYE),
            text_config=LlamaConfig(**_MIND, **_ends(tokenizer)),
            image_token_index=tokenizer.image_token_id,
            vision_feature_select_strategy="default",
            vision_feature_layer=-1,
            image_seq_length=16,
        )
    )


def _llava_processor(tokenizer: Any, template: str) -> Any:
    from transformers import CLIPImageProcessorPil, LlavaProcessor

    eye = CLIPImageProcessorPil(size={"height": 28, "width": 28}, do_center_crop=False)
    return LlavaProcessor(
        image_processor=eye,
        tokenizer=tokenizer,
        patch_size=7,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=template,
    )


def _idefics3(tokenizer: Any) -> Any:
    from transformers import Idefics3Config, Idefics3ForConditionalGeneration, LlamaConfig

    return Idefics3ForConditionalGeneration(
        Idefics3Config(
            vision_config={**_EYE, "image_size": 32, "patch_size": 8},
            text_config=LlamaConfig(**_MIND, **_ends(tokenizer)),
            image_token_id=tokenizer.image_token_id,
            scale_factor=2,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def _idefics3_processor(tokenizer: Any, template: str) -> Any:
    from transformers import Idefics3ImageProcessorPil, Idefics3Processor

    eye = Idefics3ImageProcessorPil(size={"longest_edge": 32}, max_image_size={"longest_edge": 32}, do_image_splitting=False)
    return Idefics3Processor(image_processor=eye, tokenizer=tokenizer, image_seq_len=4, chat_template=template)


def _smolvlm(tokenizer: Any) -> Any:
    from transformers import LlamaConfig, SmolVLMConfig, SmolVLMForConditionalGeneration

    return SmolVLMForConditionalGeneration(
        SmolVLMConfig(
            vision_config={**_EYE, "image_size": 32, "patch_size": 8},
            text_config=LlamaConfig(**_MIND, **_ends(tokenizer)),
            image_token_id=tokenizer.image_token_id,
            scale_factor=2,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def _smolvlm_processor(tokenizer: Any, template: str) -> Any:
    from transformers import SmolVLMImageProcessor, SmolVLMProcessor, SmolVLMVideoProcessor

    sizes = {"size": {"longest_edge": 32}, "max_image_size": {"longest_edge": 32}}
    video = SmolVLMVideoProcessor(**sizes, video_sampling={"fps": 1, "max_frames": 4, "video_size": {"longest_edge": 32}})
    eye = SmolVLMImageProcessor(**sizes, do_image_splitting=False)
    return SmolVLMProcessor(
        image_processor=eye, tokenizer=tokenizer, video_processor=video, image_seq_len=4, chat_template=template
    )


def _gemma3(tokenizer: Any) -> Any:
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration, Gemma3TextConfig, SiglipVisionConfig

    return Gemma3ForConditionalGeneration(
        Gemma3Config(
            vision_config=SiglipVisionConfig(image_size=28, patch_size=7, vision_use_head=False, **_EYE),
            text_config=Gemma3TextConfig(
                head_dim=16, query_pre_attn_scalar=16, sliding_window=512, **_MIND, **_ends(tokenizer)
            ),
            mm_tokens_per_image=4,
            boi_token_index=tokenizer.boi_token_id,
            eoi_token_index=tokenizer.eoi_token_id,
            image_token_index=tokenizer.image_token_id,
        )
    )


def _gemma3_processor(tokenizer: Any, template: str) -> Any:
    from transformers import Gemma3ImageProcessorPil, Gemma3Processor

    eye = Gemma3ImageProcessorPil(size={"height": 28, "width": 28}, do_pan_and_scan=False)
    return Gemma3Processor(image_processor=eye, tokenizer=tokenizer, image_seq_length=4, chat_template=template)


def _rope(**more: Any) -> dict[str, Any]:
    return {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 1e4, **more}


def _vision_tokens(tokenizer: Any) -> dict[str, int]:
    return {
        "image_token_id": tokenizer.image_token_id,
        "video_token_id": tokenizer.video_token_id,
        "vision_start_token_id": tokenizer.vision_bos_token_id,
        "vision_end_token_id": tokenizer.vision_eos_token_id,
    }


def _qwen2_5_vl(tokenizer: Any) -> Any:
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    eye = {"depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 4, "out_hidden_size": 64, "patch_size": 8}
    return Qwen2_5_VLForConditionalGeneration(
        Qwen2_5_VLConfig(
            vision_config={**eye, "spatial_merge_size": 2, "window_size": 32, "fullatt_block_indexes": [1]},
            text_config={**_MIND, **_ends(tokenizer), "rope_parameters": _rope(), "max_position_embeddings": 4096},
            **_vision_tokens(tokenizer),
        )
    )


def _qwen2_5_vl_processor(tokenizer: Any, template: str) -> Any:
    from transformers import Qwen2_5_VLProcessor, Qwen2VLImageProcessor, Qwen2VLVideoProcessor

    size = {"patch_size": 8, "merge_size": 2, "min_pixels": 64 * 64, "max_pixels": 64 * 64}
    return Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(**size),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(**size),
        chat_template=template,
    )


def _qwen3_vl(tokenizer: Any) -> Any:
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    eye = {"depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 4, "out_hidden_size": 64, "patch_size": 8}
    return Qwen3VLForConditionalGeneration(
        Qwen3VLConfig(
            vision_config={**eye, "spatial_merge_size": 2, "num_position_embeddings": 16, "deepstack_visual_indexes": [0]},
            text_config={**_MIND, **_ends(tokenizer), "head_dim": 16, "rope_parameters": _rope(mrope_interleaved=True)},
            **_vision_tokens(tokenizer),
        )
    )


def _qwen3_vl_processor(tokenizer: Any, template: str) -> Any:
    from transformers import Qwen2VLImageProcessor, Qwen3VLProcessor, Qwen3VLVideoProcessor

    size = {"patch_size": 8, "merge_size": 2}
    area = {"shortest_edge": 64 * 64, "longest_edge": 64 * 64}
    return Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(**size, size=area),
        tokenizer=tokenizer,
        video_processor=Qwen3VLVideoProcessor(**size, size=area),
        chat_template=template,
    )


def _internvl(tokenizer: Any) -> Any:
    from transformers import InternVLConfig, InternVLForConditionalGeneration, InternVLVisionConfig, Qwen2Config

    return InternVLForConditionalGeneration(
        InternVLConfig(
            vision_config=InternVLVisionConfig(image_size=[28, 28], patch_size=[7, 7], **_EYE),
            text_config=Qwen2Config(**_MIND, **_ends(tokenizer)),
            image_token_id=tokenizer.context_image_token_id,
            image_seq_length=4,
            downsample_ratio=0.5,
        )
    )


def _internvl_processor(tokenizer: Any, template: str) -> Any:
    from transformers import GotOcr2ImageProcessor, InternVLProcessor, InternVLVideoProcessor

    side = {"size": {"height": 28, "width": 28}}
    return InternVLProcessor(
        image_processor=GotOcr2ImageProcessor(**side, min_patches=1, max_patches=1),
        tokenizer=tokenizer,
        video_processor=InternVLVideoProcessor(**side),
        image_seq_length=4,
        chat_template=template,
    )


_MODELS = {
    "llava": _llava,
    "idefics3": _idefics3,
    "smolvlm": _smolvlm,
    "gemma3": _gemma3,
    "qwen2_5_vl": _qwen2_5_vl,
    "qwen3_vl": _qwen3_vl,
    "internvl": _internvl,
}
_PROCESSORS = {
    "llava": _llava_processor,
    "idefics3": _idefics3_processor,
    "smolvlm": _smolvlm_processor,
    "gemma3": _gemma3_processor,
    "qwen2_5_vl": _qwen2_5_vl_processor,
    "qwen3_vl": _qwen3_vl_processor,
    "internvl": _internvl_processor,
}
