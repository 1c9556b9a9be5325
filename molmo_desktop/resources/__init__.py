# SPDX-License-Identifier: Apache-2.0
"""Icons and samples that the program needs while it runs; read with importlib.resources."""
