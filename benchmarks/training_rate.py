"""Tokens that `medloom train sft` trains per second, against TRL's own script on the same conversations and model.

Two runs of each, a short and a long one, so that loading and the first step fall out. On a GPU the model is an Idefics3 of two
billion random weights in bf16, and the rate is also told as a share of the card's matrix rate; on a processor it is a tiny one.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import datasets

from medloom.builders.build import Options, build
from medloom.builders.catalog import load
from medloom.builders.draw import draw
from medloom.generation.asking.ask import ask
from medloom.train.data.arguments import DataArguments
from medloom.train.data.mixture import Mixture

SHORT, LONG, BATCH = 6, 66, 8
SUITE = "medtrinity"
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
ROOT = Path(__file__).parents[1]
METHODS = {"all weights": {}, "LoRA": {"use_peft": True, "lora_r": 16, "lora_target_modules": LINEAR}}
FSDP = ROOT / "train" / "configs" / "fsdp2.yaml"


@dataclass(frozen=True, slots=True)
class Rate:
    """Per second."""

    tokens: float
    rows: float


@dataclass(frozen=True, slots=True)
class Machine:
    """What the runs are told by the machine they are on."""

    gpu: bool
    rate: float
    """Measured floating-point operations per second of a product of square matrices, bf16 on a GPU, else float32."""

    @property
    def settings(self) -> dict[str, Any]:
        own = (
            {"bf16": True, "dtype": "bfloat16", "attn_implementation": "sdpa"} if self.gpu else {"bf16": False, "use_cpu": True}
        )
        return {
            **own,
            "per_device_train_batch_size": BATCH,
            "max_length": None,
            "gradient_checkpointing": False,
            "learning_rate": 1e-5,
            "logging_steps": SHORT,
            "disable_tqdm": True,
            "report_to": "none",
            "save_strategy": "no",
            "dataloader_num_workers": 4 if self.gpu else 0,
            "dataset_num_proc": 1,
        }


def against_trl(folder: Path) -> list[dict[str, Any]]:
    """Ratios of tokens per second; on a GPU also shares of its matrix rate, and FSDP2 over one card."""
    datasets.disable_progress_bars()
    machine = _machine()
    release = _release(folder)
    rows = _exported(release, folder / "rows")
    model = _model(folder / "model", rows, gpu=machine.gpu)
    told = []
    for method, more in METHODS.items():
        settings = {**machine.settings, **more, "model_name_or_path": str(model)}
        ours = _rate(["-m", "medloom.train.sft"], {**settings, **_of_ours(release)}, folder)
        theirs = _rate(["-m", "trl.scripts.sft"], {**settings, "dataset_name": str(folder / "rows")}, folder)
        note = f"{ours.tokens:,.0f} to {theirs.tokens:,.0f} tokens/s"
        if machine.gpu:
            note += f"; {_operations(model, ours, frozen=bool(more)) / machine.rate:.2f} of the card's matrix rate"
        told.append(
            {"what": f"tokens per second over TRL's script: {method}", "ratio": ours.tokens / theirs.tokens, "note": note}
        )
    if machine.gpu:
        told.append(_sharded({**machine.settings, "model_name_or_path": str(model), **_of_ours(release)}, folder))
    return told


def _machine() -> Machine:
    import torch

    gpu = torch.cuda.is_available()
    side, kind, place = (8192, torch.bfloat16, "cuda") if gpu else (1024, torch.float32, "cpu")
    left, right = (torch.rand(side, side, dtype=kind, device=place) for _ in range(2))
    seconds = []
    for _ in range(20):
        began = time.perf_counter()
        torch.matmul(left, right)
        if gpu:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
    return Machine(gpu, 2 * side**3 / median(seconds[3:]))


def _release(folder: Path) -> Path:
    draw(load("phantom"), folder / "raw")
    build("phantom", folder / "raw", folder / "release", options=Options(workers=2))
    ask(folder / "release", SUITE)
    return folder / "release"


def _of_ours(release: Path) -> dict[str, Any]:
    return {"data": [{"release": str(release), "suite": SUITE}], "dialect": "thousandths"}


def _exported(release: Path, folder: Path) -> datasets.Dataset:
    """The very conversations that ours trains on, in a folder that `load_dataset` reads."""
    arguments = DataArguments(data=[f"{release}:{SUITE}"])  # type: ignore[list-item]
    mixture = Mixture.open(arguments, style=arguments.style("thousandths"), seed=0)
    conversations = mixture.conversations(mixture.order(0).tolist())
    rows = datasets.Dataset.from_list(
        [{name: one[name] for name in ("prompt", "completion", "images")} for one in conversations]
    )
    rows = rows.cast_column("images", datasets.List(datasets.Image()))
    folder.mkdir()
    rows.to_parquet(folder / "train.parquet")
    return rows


def _model(folder: Path, rows: datasets.Dataset, *, gpu: bool) -> Path:
    sys.path.insert(0, str(ROOT / "tests" / "drawn"))
    from tiny_models import tiny

    tiny("idefics3", folder, [str(one) for one in rows["completion"]])
    if gpu:
        _enlarge(folder)
    return folder


def _operations(folder: Path, rate: Rate, *, frozen: bool) -> float:
    """Operations per second that the weights ask for: two forward and four backward each, two fewer where they are frozen.

    The vision tower's weights count per patch, all others per token. Attention's own products are left out, so that a share of
    the matrix rate is a lower bound.
    """
    import torch
    from transformers import AutoModelForImageTextToText

    config = _config(folder)
    with torch.device("meta"):
        model = AutoModelForImageTextToText.from_config(config)
    sizes = {name: one.numel() for name, one in model.named_parameters() if "embed" not in name}
    seen = sum(size for name, size in sizes.items() if "vision_model" in name)
    patches = (config.vision_config.image_size // config.vision_config.patch_size) ** 2
    return (4 if frozen else 6) * ((sum(sizes.values()) - seen) * rate.tokens + seen * patches * rate.rows)


def _config(folder: Path) -> Any:
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(folder)


def _enlarge(folder: Path) -> None:
    """Two billion weights: the sizes of SigLIP-so400m and of a Llama of 1.7 billion."""
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor

    config = _config(folder)
    eye = {"hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27, "num_attention_heads": 16}
    mind = {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 24, "num_attention_heads": 32}
    for part, sizes in ((config.vision_config, {**eye, "image_size": 364, "patch_size": 14}), (config.text_config, mind)):
        for name, size in sizes.items():
            setattr(part, name, size)
    config.text_config.num_key_value_heads, config.text_config.head_dim = 32, 64
    processor = AutoProcessor.from_pretrained(folder)
    processor.image_processor.size = processor.image_processor.max_image_size = {"longest_edge": 364}
    processor.image_seq_len = 169
    torch.manual_seed(0)
    with torch.device("cuda"):
        model = AutoModelForImageTextToText.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def _rate(program: list[str], settings: dict[str, Any], folder: Path) -> Rate:
    """Between the ends of a short and of a long run."""
    (few, early), (many, late) = (_run(program, {**settings, "max_steps": steps}, folder) for steps in (SHORT, LONG))
    return Rate((many - few) / (late - early), BATCH * (LONG - SHORT) / (late - early))


def _run(program: list[str], settings: dict[str, Any], folder: Path) -> tuple[float, float]:
    """Tokens and seconds of a run, as the trainer logs them."""
    out = folder / f"run-{len(list(folder.glob('run-*')))}"
    (folder / "run.json").write_text(json.dumps({**settings, "output_dir": str(out)}))
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    command = [sys.executable, *program, "--config", str(folder / "run.json")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    logged = [ast.literal_eval(line) for line in done.stdout.splitlines() if line.startswith("{'")]
    tokens = max(float(one["num_tokens"]) for one in logged if "num_tokens" in one)
    return tokens, next(float(one["train_runtime"]) for one in logged if "train_runtime" in one)


def _sharded(settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    """FSDP2 over one card: that it starts and trains, and its rate over that without."""
    plain = _rate(["-m", "medloom.train.sft"], settings, folder)
    launch = [
        "-m",
        "accelerate.commands.launch",
        "--config_file",
        str(FSDP),
        "--num_processes",
        "1",
        "--module",
        "medloom.train.sft",
    ]
    sharded = _rate(launch, settings, folder)
    return {
        "what": "tokens per second under FSDP2 over those without",
        "ratio": sharded.tokens / plain.tokens,
        "note": f"{sharded.tokens:,.0f} tokens/s",
    }
