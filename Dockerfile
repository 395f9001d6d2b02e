# One image for every process; the command says which one it is (compose.yaml).
#
#   docker build --tag windfall .

FROM python:3.11-slim-bookworm AS build

WORKDIR /opt/windfall
# Installed from outside, so that the environment itself holds nothing to install with.
RUN python -m venv --without-pip /opt/venv
COPY requirements.lock deploy/not-in-the-image.txt ./
# Every package is a wheel, the full tree is in the lock file, and what only `make run` and the
# tests need (the embedded servers, pytest) stays out.
RUN grep --invert-match --ignore-case --file=not-in-the-image.txt requirements.lock > image.lock \
    && python -m pip --disable-pip-version-check --no-cache-dir --python /opt/venv/bin/python \
        install --no-deps --only-binary=:all: --requirement image.lock \
    && python -m pip --python /opt/venv/bin/python check \
    && rm requirements.lock not-in-the-image.txt image.lock

COPY . .
# The settings want to be complete even where nothing is connected to; none of this is kept.
RUN DJANGO_SETTINGS_MODULE=config.settings.production SECRET_KEY=build SECRETS_KEYS=build \
    ALLOWED_HOSTS=build DATABASE_URL=postgres://build/build BROKER_URL=redis://build \
    CACHE_URL=redis://build STATIC_ROOT=/opt/windfall/staticfiles \
    /opt/venv/bin/python manage.py collectstatic --noinput --skip-checks --verbosity=0 \
    && /opt/venv/bin/python -m compileall -q /opt/windfall


FROM python:3.11-slim-bookworm

RUN python -m pip uninstall --yes --root-user-action=ignore pip setuptools wheel \
    && useradd --uid 10001 --home-dir /var/lib/windfall --create-home windfall
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/windfall /opt/windfall

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings.production \
    STATIC_ROOT=/opt/windfall/staticfiles \
    DATA_DIR=/var/lib/windfall
WORKDIR /opt/windfall
USER windfall
EXPOSE 8000 9090

# Of the web process; the others are watched by their ticks (docs/operations.md).
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "deploy/healthcheck.py"]
CMD ["python", "-m", "granian", "--interface=wsgi", "--host=0.0.0.0", "--port=8000", \
     "--no-ws", "--respawn-failed-workers", "--workers-kill-timeout=30", \
     "--metrics", "--metrics-address=0.0.0.0", "--metrics-port=9090", "config.wsgi:application"]
