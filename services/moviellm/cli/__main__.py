"""`python -m moviellm.cli`, the same as `moviellm`."""

from moviellm.cli.app import main

main()
