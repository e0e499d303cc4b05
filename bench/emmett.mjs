// Makes Emmett's tables and functions in the database of the given connection
// string, in the way that an application does, and appends one event.
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';

const store = getPostgreSQLEventStore(process.argv[2]);
await store.schema.migrate();
await store.appendToStream('probe-1', [{ type: 'Probe', data: {} }]);
await store.close();
