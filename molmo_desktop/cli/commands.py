# SPDX-License-Identifier: Apache-2.0
"""The names of the commands; anything else on the command line is a file for the window."""

COMMANDS = ("ask", "chat", "read", "models", "bench", "doctor")
