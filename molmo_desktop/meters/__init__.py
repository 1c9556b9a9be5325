# SPDX-License-Identifier: Apache-2.0
"""Readings of memory, power and energy; each one names its source."""
