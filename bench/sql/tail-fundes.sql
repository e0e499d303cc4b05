select * from fundes.read_all((select last_value - 200 from fundes.event_position), 100);
