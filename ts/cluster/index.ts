// What users import of the local cluster.
export { LocalCluster, type LocalClusterOptions } from './local_cluster.js';
