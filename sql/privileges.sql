-- PUBLIC has nothing. What a role may do is the DBA's to grant: USAGE on the
-- schema, EXECUTE on functions, SELECT on views.

revoke all on schema fundes from public;
revoke all on all tables in schema fundes from public;
revoke all on all sequences in schema fundes from public;
revoke all on all functions in schema fundes from public;
