# SPDX-License-Identifier: Apache-2.0
"""The models on this machine: what they are, where they lie, which one to use."""
