// The statements on noted deliveries.
extern const char sql_delivered_time[], sql_delivered_note[];

const char sql_delivered_time[] = "SELECT arrived FROM delivered WHERE mbx = $1 AND delivery = $2";
const char sql_delivered_note[] =
    "INSERT INTO delivered (mbx, delivery, arrived) VALUES ($1, $2, $3)"
    " ON CONFLICT (mbx, delivery) DO UPDATE SET arrived = excluded.arrived";
