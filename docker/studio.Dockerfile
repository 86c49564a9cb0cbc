# The studio on a machine with a GPU: the same worker, with torch. Build from the root:
#   docker build -f docker/studio.Dockerfile -t gegenbild-studio .
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PYTHONPATH=/srv/gegenbild \
    FORUM_DATA_DIR=/data \
    HF_HUB_OFFLINE=1

RUN useradd --system --uid 10001 --home-dir /nonexistent forum \
    && install -d -o forum -g forum -m 0750 /data
WORKDIR /srv/gegenbild

COPY pyproject.toml constraints.txt ./
RUN mkdir -p forum generation \
    && pip install -c constraints.txt -e ".[diffusers]" \
    && rm -rf forum generation

COPY . .
USER forum
VOLUME /data
CMD ["python", "manage.py", "worker"]
