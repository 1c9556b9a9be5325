# SPDX-License-Identifier: Apache-2.0
"""The use case: answer a question about attachments. The window and the command line call it."""
