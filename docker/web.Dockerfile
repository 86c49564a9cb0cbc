# The house: web process, light worker, darkroom. Build from the repository's root:
#   docker build -f docker/web.Dockerfile -t gegenbild .
FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PYTHONPATH=/srv/gegenbild \
    FORUM_DATA_DIR=/data \
    HOST=0.0.0.0 \
    PORT=8000

RUN useradd --system --uid 10001 --home-dir /nonexistent forum \
    && install -d -o forum -g forum -m 0750 /data
WORKDIR /srv/gegenbild

# What seldom changes first: the libraries stay cached while the code moves on.
COPY pyproject.toml constraints.txt ./
RUN mkdir -p forum generation \
    && pip install -c constraints.txt -e . \
    && rm -rf forum generation

COPY . .
USER forum
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "docker/healthy.py"]
CMD ["python", "-m", "uvicorn", "forum.asgi:application", "--host", "0.0.0.0", "--port", "8000", \
     "--ws-max-size", "65536", "--timeout-graceful-shutdown", "15", \
     "--no-access-log", "--log-level", "warning", "--no-server-header"]
