# One static program on an empty image, with certificate authorities and a user without rights. Build arguments: PROGRAM_URL and
# PROGRAM_CHECKSUM, a program or an archive of it, and of an archive PROGRAM_PATH, where in it the program is.
FROM --platform=$BUILDPLATFORM alpine:3 AS unpacked
ARG PROGRAM_URL
ARG PROGRAM_CHECKSUM
ARG PROGRAM_PATH=program
ADD --checksum=${PROGRAM_CHECKSUM} ${PROGRAM_URL} /download
WORKDIR /archive
RUN case "${PROGRAM_URL}" in \
      *.tar.gz | *.tgz) tar -xzf /download ;; \
      *.tar.xz) tar -xJf /download ;; \
      *.zip) unzip -q /download ;; \
      *.gz) gunzip -c /download > program ;; \
      *) cp /download program ;; \
    esac \
    && mkdir -p /image/etc/ssl/certs && install -d -m 1777 /image/tmp \
    && install -m 755 "${PROGRAM_PATH}" /image/program \
    && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
    && echo "nonroot:x:65532:65532::/:/sbin/nologin" > /image/etc/passwd \
    && echo "nonroot:x:65532:" > /image/etc/group

FROM scratch
COPY --from=unpacked /image/ /
USER 65532:65532
ENTRYPOINT ["/program"]
