# syntax=docker/dockerfile:1
# Builds the wheel with the page in it, then an image with nothing but Python and what Pilothouse needs.
FROM python:3.11-slim-bookworm AS build
WORKDIR /source
# A compiler for the profiler's sampler of the heap; the image itself has none.
RUN apt-get update -qq && apt-get install -qq --no-install-recommends gcc libc6-dev && pip install --no-cache-dir 'uv>=0.9'
COPY pyproject.toml uv.lock hatch_build.py README.md LICENSE ./
# The locked dependencies first: they change less often than we do.
RUN uv export --quiet --frozen --no-dev --extra collect --extra postgres --no-emit-project \
      --format requirements-txt --output-file /requirements.txt \
 && python -m venv /opt/pilothouse \
 && uv pip install --quiet --python /opt/pilothouse/bin/python --require-hashes --compile-bytecode -r /requirements.txt
COPY src src
COPY ui ui
COPY native native
COPY docs docs
COPY deploy deploy
RUN uv build --quiet --wheel --out-dir /wheels \
 && uv pip install --quiet --python /opt/pilothouse/bin/python --no-deps --compile-bytecode /wheels/*.whl

FROM python:3.11-slim-bookworm
# The built-in forge, and the merges and pipelines of pull requests anywhere, are git's.
RUN apt-get update -qq && apt-get install -qq --no-install-recommends git && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 65532 --create-home --home-dir /home/pilothouse pilothouse \
 && install -d -o pilothouse -g pilothouse -m 0700 /data
COPY --from=build /opt/pilothouse /opt/pilothouse
ENV PATH=/opt/pilothouse/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PILOTHOUSE_DATA=/data
USER 65532:65532
VOLUME /data
EXPOSE 4000 4317 4318
ENTRYPOINT ["pilothouse"]
# Beyond loopback it asks for tokens: mount a file and name it with PILOTHOUSE_TOKENS_FILE (docs/how-to/kubernetes.md).
CMD ["up", "--http", "0.0.0.0:4000", "--otlp-grpc", "0.0.0.0:4317", "--otlp-http", "0.0.0.0:4318"]
