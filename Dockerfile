# The broker: hallpass serve. Needs a configuration, the signing keys and a place for the trail, all mounted:
#   docker build -t hallpass .
#   docker run --read-only -p 8710:8710 -v ./broker:/config:ro -v trail:/trail hallpass
# The configuration listens where CMD says; TLS is for the proxy in front.

FROM node:20-slim AS build
WORKDIR /src
COPY . .
RUN node scripts/run.mjs build \
  && npm exec --yes --package=pnpm@12.21.0 -- pnpm --filter @hallpass/cli deploy --prod --legacy /app
# Clients of the stores, one of each kind. They lie at the root, where /app and /config both find them; a configuration
# with node_modules of its own finds those first.
RUN npm install --prefix /clients --omit=dev --no-audit --no-fund ioredis@6.0.0 pg@8.23.1 @photostructure/sqlite@1.2.1

FROM node:20-slim
ENV NODE_ENV=production JITI_FS_CACHE=false
COPY --from=build /app /app
COPY --from=build /clients/node_modules /node_modules
# Nothing outside /trail (and /data, for a ledger in a file) is written to.
RUN mkdir -p /config /trail /data && chown node:node /trail /data
VOLUME ["/trail", "/data"]
USER node
EXPOSE 8710
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["node", "-e", "fetch('http://127.0.0.1:8710/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--enable-source-maps", "/app/dist/bin.js"]
CMD ["serve", "/config/hallpass.config.ts", "--host", "0.0.0.0", "--port", "8710"]
