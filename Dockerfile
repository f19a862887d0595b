# The image holds the executable and the C library. It has no shell and no package manager, and does not run as root.
#
#   docker build --tag keyward .
#   docker run --publish 8000:8000 --volume keyward:/data --env SECRET_KEY=… --stop-timeout 45 keyward

FROM oven/bun:1.4.5 AS build
WORKDIR /build
COPY package.json bun.lock bunfig.toml ./
RUN bun install --frozen-lockfile --production
COPY . .
# Not `bun run build`, which would also install the packages of the tests.
RUN bun run compile
# The file tree of the final stage. ldd lists the libraries, which differ between processor architectures.
RUN mkdir -p root/usr/local/bin root/etc data \
  && cp dist/keyward root/usr/local/bin/ \
  && ldd dist/keyward | grep -o '/[^ ]*' | xargs cp --dereference --parents --target-directory=root \
  && echo 'keyward:x:65532:65532:Keyward:/data:/' > root/etc/passwd \
  && echo 'keyward:x:65532:' > root/etc/group \
  && echo 'hosts: files dns' > root/etc/nsswitch.conf

FROM scratch
COPY --from=build /build/root/ /
COPY --from=build /build/LICENSE /usr/local/share/doc/keyward/LICENSE
COPY --from=build --chown=65532:65532 /build/data/ /data/
USER 65532:65532
# The database is here, by the default of DATABASE_URL. As ENV it would collide with DATABASE_URL_FILE.
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=12s --start-period=60s --retries=3 CMD ["/usr/local/bin/keyward", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/keyward"]
CMD ["serve"]
