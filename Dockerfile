# The engine and all commands, on Node.js; runs as a user without rights, with its data in /var/lib/scorefold.
FROM node:22.23.3-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
# Without scripts: `prepare` would build sources that are not here yet, and what libraries compile comes with them.
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:22.23.3-bookworm-slim
# As process 1 it passes signals on also while the engine starts, and takes away what dead workers leave.
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production SCOREFOLD_DATA=/var/lib/scorefold
WORKDIR /app
COPY package.json LICENSE ./
COPY models models
COPY schemas schemas
COPY topics topics
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
RUN chmod +x dist/cli/main.js && ln -s /app/dist/cli/main.js /usr/local/bin/scorefold && \
    install -d -o node -g node -m 0700 /var/lib/scorefold
# A number, so that an orchestrator can tell that it is not root.
USER 1000:1000
EXPOSE 7070
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["node", "-e", \
    "fetch(`http://127.0.0.1:${process.env.SCOREFOLD_PORT || 7070}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# The command's first line sets how Node.js and malloc keep memory; workers inherit it.
ENTRYPOINT ["tini", "--", "scorefold"]
CMD ["run"]
