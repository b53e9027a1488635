"""The Lambda functions: one folder each, with a handler that validates, calls one use case and maps the result."""
