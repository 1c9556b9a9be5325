# SPDX-License-Identifier: Apache-2.0
"""Models with random weights: real shapes, no training, nothing to download.

Speed and memory do not depend on what the weights are, and neither does the question whether
held state gives what evaluating anew gives. `make_random_gguf.py` beside this folder is the
command; tests use these modules too.
"""
