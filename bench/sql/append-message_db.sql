-- each stream is a category of its own: message-db locks categories
\set s random(1, :streams)
select write_message(gen_random_uuid()::varchar, 's' || :s || '-1', 'CopyrightBought', :payload);
