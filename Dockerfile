# The scheduled job: see deploy/job.py. docs/deploy.md shows how to build and deploy it.
# Dependabot updates the digest; `docker buildx imagetools inspect python:3.12-slim` prints the newest.
FROM python:3.12-slim@sha256:78387bc3881b8273120a12ebe6c1ab22b018ccc2c9adf565ae1ac9b536e184ea AS base

FROM base AS environment
RUN python -m venv /opt/pullstats
COPY requirements/cloud.lock /source/requirements/
RUN /opt/pullstats/bin/pip install --no-cache-dir --no-deps --require-hashes \
    -r /source/requirements/cloud.lock
COPY pyproject.toml README.md /source/
COPY loader /source/loader
RUN /opt/pullstats/bin/pip install --no-cache-dir --no-deps --no-build-isolation /source \
    && /opt/pullstats/bin/pip uninstall --yes pip

FROM base
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin pullstats
COPY --from=environment /opt/pullstats /opt/pullstats
WORKDIR /pullstats
COPY dbt_project.yml selectors.yml ./
COPY profiles.yml.example profiles.yml
COPY models models
COPY macros macros
COPY seeds seeds
COPY analyses analyses
COPY tests tests
COPY report report
COPY docs/counting.md docs/
COPY deploy/job.py deploy/
# Nothing is written outside /tmp: the user owns nothing here.
ENV PATH=/opt/pullstats/bin:$PATH HOME=/tmp PYTHONUNBUFFERED=1 PYTHONPATH=/pullstats \
    DBT_TARGET_PATH=/tmp/target DBT_LOG_PATH=/tmp/logs DBT_USE_COLORS=false
USER 10001
ENTRYPOINT ["python", "deploy/job.py"]
