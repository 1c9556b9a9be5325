# SPDX-License-Identifier: Apache-2.0
"""Any file in, pages with text, word boxes and pictures out; in another process, within limits."""
