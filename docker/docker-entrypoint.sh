#!/bin/sh
# `rabbitmq-server`, the command of RabbitMQ's image, starts the broker with the files under /etc/rabbitmq; anything else is
# run as it is.
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
if [ "${1:-}" = rabbitmq-server ]; then
  shift
  exec tsbroker start "$@"
fi
exec "$@"
