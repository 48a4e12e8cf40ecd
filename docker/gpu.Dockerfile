# One service on NVIDIA GPUs, also as head and worker of a Ray cluster by KubeRay:
#   docker build --file docker/gpu.Dockerfile --build-arg SERVICE=rendering --tag moviellm-rendering-gpu .
# SERVICE is rendering or inversion; everything else as in cpu.Dockerfile. CUDA comes with torch's wheels, the driver from
# the node (NVIDIA's container toolkit).
ARG BASE=python:3.11-slim-bookworm

# moviellm itself, once for all services.
FROM ${BASE} AS wheel
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_FIND_LINKS
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY services services
RUN --mount=type=cache,target=/root/.cache/pip \
    pip wheel --disable-pip-version-check --no-deps --wheel-dir /wheels .

# What takes symbols out of libraries.
FROM ${BASE} AS tools
RUN apt-get update && apt-get install --yes --no-install-recommends binutils

# What all services depend on.
FROM ${BASE} AS core
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_FIND_LINKS
WORKDIR /src
COPY pyproject.toml constraints.txt docker/dependencies.py docker/bytecode.py docker/
RUN --mount=type=cache,target=/root/.cache/pip python docker/dependencies.py

FROM core AS build
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_FIND_LINKS
ARG TORCH_INDEX_URL
ARG SERVICE
ARG EXTRAS
ARG SOURCE_DATE_EPOCH=0
RUN --mount=type=cache,target=/root/.cache/pip python docker/dependencies.py
COPY --from=wheel /wheels wheels
COPY docker/finish.py docker/prove.py docker/healthy.py docker/
ARG WANTS_CUDA=1
RUN --mount=type=bind,from=tools,target=/tools python docker/finish.py \
    && /opt/moviellm/bin/python docker/prove.py

FROM ${BASE}
# KubeRay's probes call bash and wget; its login shells forget the PATH of the image.
RUN apt-get update && apt-get install --yes --no-install-recommends bash wget \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/ldconfig/* /var/log/* \
    && echo 'PATH=/opt/moviellm/bin:$PATH' > /etc/profile.d/moviellm.sh
ARG SERVICE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="moviellm-${SERVICE}" \
      org.opencontainers.image.description="moviellm's ${SERVICE}, on NVIDIA GPUs" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0"
# The folders around, so that those within keep their time stamps.
COPY --from=build /opt/ /opt/
COPY --from=build --chown=65532:65532 /data/ /var/lib/
# The root file system may be read-only: what is written goes to /tmp, what is kept to /var/lib/moviellm. The user has no
# entry in /etc/passwd, so libraries that ask for its name read USER.
ENV PATH=/opt/moviellm/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 SERVICE=${SERVICE} \
    USER=moviellm HOME=/tmp TMPDIR=/tmp XDG_CACHE_HOME=/tmp/cache XDG_CONFIG_HOME=/tmp/config \
    HF_HOME=/tmp/cache/huggingface TORCH_HOME=/tmp/cache/torch TORCHINDUCTOR_CACHE_DIR=/tmp/cache/inductor \
    TRITON_CACHE_DIR=/tmp/cache/triton \
    NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    MOVIELLM_STORE_URL=file:///var/lib/moviellm
WORKDIR /tmp
USER 65532:65532
CMD ["sh", "-c", "exec python -m moviellm.$SERVICE"]
