FROM mattermost
ARG BINARY_URL
ARG BINARY_CHECKSUM
ADD --checksum=${BINARY_CHECKSUM} --chmod=755 --chown=2000:2000 ${BINARY_URL} /mattermost/bin/mattermost
