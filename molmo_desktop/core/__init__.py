# SPDX-License-Identifier: Apache-2.0
"""Words everyone shares: errors, settings, paths, logging and the data that crosses rooms."""
