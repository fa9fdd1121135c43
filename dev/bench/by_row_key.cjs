// Azurite looks rows up by PartitionKey first, which reads the whole partition each time: 10,000 contacts then take it
// minutes. Loaded into its process, this lets such a look-up begin with the RowKey. Answers are the same, only sooner.
const { realpathSync } = require("node:fs");

const loki = require(require.resolve("lokijs", { paths: [realpathSync(process.argv[1])] }));
const findOne = loki.Collection.prototype.findOne;

loki.Collection.prototype.findOne = function (query) {
  const isByKeys = query && Object.keys(query).join() === "PartitionKey,RowKey";
  return findOne.call(this, isByKeys ? { RowKey: query.RowKey, PartitionKey: query.PartitionKey } : query);
};
