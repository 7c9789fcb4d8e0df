"""Questions to model to scores. Imports schema and generation.

asked.py          questions with their pictures, from a release or another benchmark's file
coordinates/      how each model family writes a box, a point or a polygon, and how it is read back
conversation.py   a question as the turns a model is given, and the answer that it should give
data/             conversations in a seeded order, for TRL
sft.py, grpo.py   the two ways to train, over fitting/
predicting/       models that answer: transformers, vLLM, an endpoint
answers/          what a reply says: letters, names, regions, or nothing
scoring/          how good that is, and how sure one can be
evaluating/       the thread through these three, robustness, and reports
exchange/         other harnesses' files, out and in
experiments/      compositional generalization: plan, run, report

The PyTorch stack is loaded by what needs it, never on import of this package.
"""
