# The library the tool is made of comes in the version its newest release asks for: Debian's is older.
FROM debian:trixie-slim AS built
RUN apt-get update && apt-get install -y --no-install-recommends \
      ca-certificates cmake g++ make libboost-program-options-dev libbz2-dev libexpat1-dev liblz4-dev libprotozero-dev \
      nlohmann-json3-dev zlib1g-dev
ADD https://github.com/osmcode/libosmium.git?tag=v2.23.1&checksum=97dccf105391d410701ae8bd52170dc0ee041373&submodules=false /libosmium
COPY . /osmium
RUN cmake -S /osmium -B /build -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF && cmake --build /build --parallel "$(nproc)"

FROM debian:trixie-slim
RUN apt-get update && apt-get install -y --no-install-recommends \
      libboost-program-options1.83.0 libbz2-1.0 libexpat1 liblz4-1 zlib1g \
    && rm -rf /var/lib/apt/lists/*
COPY --from=built /build/src/osmium /usr/local/bin/osmium
USER 65534:65534
WORKDIR /data
ENTRYPOINT ["osmium"]
