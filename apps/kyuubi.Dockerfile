FROM --platform=$BUILDPLATFORM alpine:3 AS unpacked
ARG PACKAGE_URL
ARG PACKAGE_CHECKSUM
ADD --checksum=${PACKAGE_CHECKSUM} ${PACKAGE_URL} /package.tgz
RUN mkdir /kyuubi && tar -xzf /package.tgz -C /kyuubi --strip-components=1 && mkdir -p /kyuubi/logs /kyuubi/pid /kyuubi/work

FROM eclipse-temurin:17-jdk
ENV KYUUBI_HOME=/opt/kyuubi
RUN useradd --uid 10009 --gid 0 --create-home kyuubi
COPY --from=unpacked --chown=10009:0 /kyuubi /opt/kyuubi
USER 10009
WORKDIR /opt/kyuubi
EXPOSE 10009
CMD ["bin/kyuubi", "run"]
