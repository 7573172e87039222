// The relay's limits and times.
#pragma once

#define RELAY_PORT 25
#define RELAY_CONNECTIONS 200
#define RELAY_THREADS_MAX 2000 // with those that wait for slow servers
#define RELAY_STACK (512 * 1024)
#define RELAY_PER_DESTINATION 20
#define RELAY_FIRST_LIMIT 5       // connections to a destination that we know nothing of
#define RELAY_JOBS_PER_SESSION 4  // so many wait for each connection before one more is opened
#define RELAY_SLOW_SECONDS 5      // silent for so long: the thread does not count
#define RELAY_TURN_SECONDS 5      // then a session leaves its thread to another destination
#define RELAY_THREAD_IDLE_MS 5000 // a thread without work ends
#define RELAY_IDLE_MS 5000
#define RELAY_BACKOFF_MS 30000
#define RELAY_BACKOFF_MAX_MS 600000
#define RELAY_GRACE_MS 5000 // for replies to a message's end at a stop

#define RELAY_CONNECT_SECONDS 30
#define RELAY_COMMAND_SECONDS 300
#define RELAY_DATA_SECONDS 120
#define RELAY_BLOCK_SECONDS 180
#define RELAY_END_SECONDS 600

#define RELAY_DESTINATION_JOBS 2000 // in memory; the rest waits in the queue
#define RELAY_JOBS_MAX 50000
#define RELAY_DESTINATIONS_KEPT 10000 // with nothing to do
#define RELAY_JOB_RETURNS 5           // a job that lost its connection so often waits in the queue

#define RELAY_HOSTS_MAX 10    // of a domain that are tried
#define RELAY_ADDRESSES_MAX 4 // of a host
#define RELAY_TLSA_MAX 32     // records of a host
#define RELAY_OUT_MAX 65536   // bytes gathered before a write

#define RELAY_REPLY_LINE_MAX 2000 // [RFC 5321] allows 512
#define RELAY_REPLY_LINES_MAX 128
#define RELAY_REPLY_TEXT_MAX 1000 // of it that is kept

#define RELAY_STS_POLICY_MAX 65536 // bytes ([RFC 8461] 3.2)
#define RELAY_STS_AGE_MAX 31557600 // seconds
#define RELAY_STS_MX_MAX 100
#define RELAY_STS_FETCH_SECONDS 60
#define RELAY_STS_RETRY_SECONDS 300 // after a fetch that failed
#define RELAY_STS_CACHE_MAX 10000   // domains in memory
