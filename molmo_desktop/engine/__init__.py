# SPDX-License-Identifier: Apache-2.0
"""The model, alone in its own process; the only room that imports llama_cpp."""
