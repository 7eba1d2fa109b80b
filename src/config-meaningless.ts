import { ConfigError, type ConfigLine, hasKey, keyText } from "./config-file.ts";

/** Why keys of RabbitMQ's do nothing here. */
const reasons: readonly (readonly [why: string, keys: readonly string[]])[] = [
  [
    "only AMQP 0-9-1 is spoken",
    ["mqtt.*", "web_mqtt.*", "stomp.*", "web_stomp.*", "stream.*", "amqp1_0.*", "amqp10_client.*", "amqp_client.*"],
  ],
  ["only AMQP 0-9-1 is spoken", ["session_max_per_connection", "link_max_per_session"]],
  [
    "there is one node",
    [
      ...["cluster_formation.*", "cluster_partition_handling", "cluster_partition_handling.*", "aws.*"],
      ...["cluster_keepalive_interval", "net_ticktime", "distribution.*", "mirroring_sync_batch_size", "raft.*"],
      ...["mirroring_sync_max_throughput", "queue_leader_locator", "queue_master_locator", "quorum_queue.*"],
      ...["prevent_startup_if_node_was_reset", "management.restrictions.quorum_queue_replica_operations.*"],
    ],
  ],
  [
    "there is no Erlang",
    [
      ...["erlang.*", "hipe_compile", "background_gc_enabled", "background_gc_target_interval", "delegate_count"],
      ...["sysmon_handler.*", "vhost_restart_strategy", "default_worker_pool_size", "socket_writer.*"],
      ...["num_acceptors.*", "ranch_connection_max", "management.delegate_count", "management.db_cache_multiplier"],
      ...["vm_memory_calculation_strategy", "config_entry_decoder.*", "ssl_allow_poodle_attack"],
    ],
  ],
  [
    "data is kept in another way",
    [
      ...["mnesia_table_loading_retry_limit", "mnesia_table_loading_retry_timeout", "metadata_store.*"],
      ...["queue_index_embed_msgs_below", "message_store_shutdown_timeout", "classic_queue.*"],
      ...["vm_memory_high_watermark_paging_ratio"],
    ],
  ],
  [
    "users are the broker's own",
    ["auth_ldap.*", "auth_http.*", "auth_oauth2.*", "auth_cache.*", "trust_store.*", "management.oauth_*"],
  ],
  ["users are the broker's own", ["anonymous_login_user", "anonymous_login_pass", "management.enable_uaa"]],
  ["users are the broker's own", ["management.uaa_client_id", "management.uaa_location"]],
  ["there are no shovels and no federation", ["shovel.*", "federation.*"]],
  [
    "SIGHUP opens the log's file again: let logrotate do it",
    ["log.file.rotation.*", "log.default.rotation.*", ...ofAreas("rotation.*")],
  ],
  ["there is one file for the whole log", ofAreas("file")],
  ["there are no such lines", ofOthers("level", "file", "rotation.*")],
  ["lines without an area have the log's level", ["log.default.level"]],
  ["lines have one form of text and one of JSON", ["log.console.formatter.*", "log.file.formatter.*"]],
  ["colours are for terminals", ["log.console.use_colors", "log.console.color_esc_seqs.*"]],
  ["amq.rabbitmq.log has every line, as JSON", ["log.exchange", "log.exchange.*"]],
  ["the log goes to a stream or a file", ["log.syslog", "log.syslog.*", "log.journald", "log.journald.*"]],
  ["rates are kept of each channel, exchange and queue, and cost next to nothing", ["management.rates_mode"]],
  ["the API always tells all it knows", ["management.disable_stats", "management.enable_queue_totals"]],
  ["the API always tells all it knows", ["management_agent.*", "collect_statistics"]],
  ["samples are kept for a day", ["management.sample_retention_policies.*"]],
  ["the page's login lasts as long as its tab", ["management.login_session_timeout"]],
  ["requests are not logged one by one", ["management.http_log_dir", "http_dispatch.access_log_dir"]],
  ["who may not log in is in the log", ["track_auth_attempt_source"]],
  ["users, policies and limits come from definitions", ["default_users.*", "default_policies.*", "default_limits.*"]],
  ["definitions come from files", ["definitions.*", "management.definitions.require_json_extension"]],
  ["passwords are taken as they are", ["credential_validator.*"]],
  ["lists of revoked certificates are not read", ["ssl_options.crl_*", "management.listener.ssl_opts.crl_check"]],
  ["TLS is as Node.js has it", ["ssl_options", "ssl_options.*", "management.listener.ssl_opts"]],
  ["TLS is as Node.js has it", ["management.listener.ssl_opts.*", "management.ssl.*", "prometheus.ssl.*"]],
  ["sockets are as Node.js has them", ["tcp_listen_options", "tcp_listen_options.*", "reverse_dns_lookups"]],
  ["clients have the address that they connect from", ["proxy_protocol"]],
  ["HTTP has limits of its own", ["management.tcp.*", "management.listener.server.*", "prometheus.tcp.*"]],
  ["users log in with their passwords", ["management.disable_basic_auth", "management.credential_encryption_secret"]],
  ["it can not be switched", ["management.http.hide_allow_header", "management.require_auth_for_api_reference"]],
  ["it can not be switched", ["management.restrictions.*", "prometheus.filter_aggregated_queue_metrics_pattern"]],
  ["events go to amq.rabbitmq.event of the default virtual host", ["event_exchange.*"]],
  ["messages are not changed", ["message_interceptors.*"]],
  ["traces are messages: a consumer keeps them", ["tracing.*"]],
  ["there are limits of queues, exchanges and virtual hosts", ["runtime_parameters.*"]],
  ["a dead consumer's messages go back at once", ["consumer_disconnected_timeout"]],
  ["nobody reads it", ["cluster_tags.*", "node_tags.*", "motd_file", "log.error_logger_format_depth"]],
  ["nobody reads it", ["log.summarize_process_state"]],
  ["nothing is deprecated or switched off", ["deprecated_features.*", "queue_types.*", "exchange_types.*"]],
];

/** What changes nothing, as it says what is so anyway. */
const soAnyway: readonly (readonly [key: string, values: readonly string[]])[] = [
  ["auth_backends.$number", ["internal", "rabbit_auth_backend_internal"]],
  ["auth_backends.$number.authn", ["internal", "rabbit_auth_backend_internal"]],
  ["auth_backends.$number.authz", ["internal", "rabbit_auth_backend_internal"]],
  ["credential_validator.validation_backend", ["rabbit_credential_validator_accept_everything"]],
  ["definitions.import_backend", ["local", "local_filesystem", "rabbit_definitions_import_local_filesystem"]],
  ["deprecated_features.permit.$name", ["true"]],
  ["log.exchange", ["true"]],
  ["management.disable_stats", ["false"]],
  ["management.enable_queue_totals", ["false"]],
  ["management.rates_mode", ["basic"]],
  ["proxy_protocol", ["false"]],
  ["queue_types.classic.enabled", ["true"]],
  ["queue_types.quorum.enabled", ["true"]],
  ["reverse_dns_lookups", ["false"]],
  ["tcp_listen_options.nodelay", ["true"]],
  ["vm_memory_calculation_strategy", ["rss"]],
];

/** Who else may say who a user is: to leave that out would let in whom the operator does not mean. */
const ofLogin = ["auth_backends.$number", "auth_backends.$number.$part", "http_dispatch.auth_backends.*"];

/**
 * What a file sets that means nothing here, by the reasons for it: `a, b (there is one node); c (unknown)`. Undefined when
 * there is nothing. Throws {@link ConfigError} where the broker would not do what matters.
 */
export function meaningless(lines: readonly ConfigLine[], known: readonly string[]): string | undefined {
  const byReason = new Map<string, string[]>();
  for (const line of lines) {
    const why = known.some((pattern) => hasKey(pattern, line.key)) ? undefined : whyNot(line);
    if (why !== undefined) byReason.set(why, [...(byReason.get(why) ?? []), keyText(line.key)]);
  }
  const texts = [...byReason].map(([why, keys]) => `${[...new Set(keys)].join(", ")} (${why})`);
  return texts.length === 0 ? undefined : texts.join("; ");
}

/** Undefined when nothing needs to be said. */
function whyNot({ number, key, value }: ConfigLine): string | undefined {
  if (soAnyway.some(([pattern, values]) => hasKey(pattern, key) && values.includes(value))) return undefined;
  if (ofLogin.some((pattern) => hasKey(pattern, key))) {
    throw new ConfigError(`line ${number}: ${keyText(key)}: '${value}' is not 'internal', the only backend there is`);
  }
  const [why] = reasons.find(([, keys]) => keys.some((pattern) => hasKey(pattern, key))) ?? [];
  return why ?? "unknown";
}

function ofAreas(...settings: readonly string[]): string[] {
  return ["connection", "channel", "queue"].flatMap((area) => settings.map((setting) => `log.${area}.${setting}`));
}

function ofOthers(...settings: readonly string[]): string[] {
  const areas = ["federation", "mirroring", "prelaunch", "ra", "shovel", "upgrade", "user", "feature_flags", "osiris"];
  return areas.flatMap((area) => settings.map((setting) => `log.${area}.${setting}`));
}
