#!/bin/sh
# Runs a command, `rabbitmq-server` unless another is given, so that a broker it starts reads the files under /etc/rabbitmq.
set -eu

configuration=${RABBITMQ_CONFIGURATION_DIR:-/etc/rabbitmq}
if [ -z "${TSBROKER_CONFIG:-}${RABBITMQ_CONFIG_FILE:-}" ] && [ -f "$configuration/rabbitmq.conf" ]; then
  export RABBITMQ_CONFIG_FILE="$configuration/rabbitmq.conf"
fi
if [ -z "${TSBROKER_CONFIG_FILES:-}${RABBITMQ_CONFIG_FILES:-}" ] && [ -d "$configuration/conf.d" ]; then
  export RABBITMQ_CONFIG_FILES="$configuration/conf.d"
fi
# Data is in the volume unless somebody says where, also that of root, which would be elsewhere.
if [ "$(id -u)" = 0 ] && [ -z "${TSBROKER_DATA_DIR:-}${RABBITMQ_MNESIA_DIR:-}${RABBITMQ_MNESIA_BASE:-}" ]; then
  export TSBROKER_DATA_DIR="${XDG_STATE_HOME:-/var/lib/rabbitmq}/tsbroker"
fi
exec "$@"
