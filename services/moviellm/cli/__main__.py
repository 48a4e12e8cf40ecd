"""`python -m moviellm.cli`, the same as `moviellm`."""

from moviellm.cli.app import main

if __name__ == "__main__":
    main()
