"""One file a format, named as in `moviellm.dataset.FORMATS`; `moviellm.export.format` says what it must have."""
