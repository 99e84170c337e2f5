// Names of metrics in the order in which people look for them.
const INTERNAL = /^(ALERTS|ALERTS_FOR_STATE|go_|process_|promhttp_|scrape_|eldonia_ops_|nginxexporter_|nginx_exporter_|node_scrape_|python_)/;

/** Whether a program measures itself by it: that comes last. */
export const isInternal = (name) => INTERNAL.test(name);
