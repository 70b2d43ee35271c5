-- What Orleans keeps in PostgreSQL: which nodes are in the cluster, small grain state, reminders.
-- Orleans finds its statements in orleans.orleansquery by key; each of ours calls one function below or reads one table.
-- A later migration that changes a statement adds a function under a new name and updates the row: a node reads
-- the statements once, when it starts, so that old and new nodes run side by side.
CREATE SCHEMA orleans;

-- The statements that Orleans' ADO.NET providers read at start (they look the table up through the search path).
CREATE TABLE orleans.orleansquery (
    querykey  text PRIMARY KEY,
    querytext text NOT NULL
);

-- ---- Membership ----------------------------------------------------------------------------------------------------------

-- One row a cluster: every change of its members raises the version, which orders all views of the membership.
CREATE TABLE orleans.membership_version (
    deployment_id text PRIMARY KEY,
    version       integer NOT NULL DEFAULT 0,
    changed       timestamptz NOT NULL DEFAULT now()
);

-- One row a silo incarnation (address, port and the start's generation); status is Orleans' SiloStatus (3 active, 6 dead).
CREATE TABLE orleans.membership (
    deployment_id   text NOT NULL REFERENCES orleans.membership_version ON DELETE CASCADE,
    address         text NOT NULL,
    port            integer NOT NULL,
    generation      integer NOT NULL,
    silo_name       text NOT NULL,
    host_name       text NOT NULL,
    status          integer NOT NULL,
    proxy_port      integer NOT NULL,
    suspect_times   text,
    start_time      timestamptz NOT NULL,
    i_am_alive_time timestamptz NOT NULL,
    PRIMARY KEY (deployment_id, address, port, generation)
);

-- Creates the version row of a cluster; true for the one caller that made it.
CREATE FUNCTION orleans.insert_membership_version(p_deployment text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO orleans.membership_version (deployment_id) VALUES (p_deployment) ON CONFLICT DO NOTHING;
    RETURN FOUND;
END $$;

-- Adds a member if the version is still the one that the caller saw and the member is new; false otherwise, nothing changed.
-- The version row is locked first: all changes of one cluster's membership happen one after the other.
CREATE FUNCTION orleans.insert_member(
    p_deployment text, p_address text, p_port integer, p_generation integer, p_silo_name text, p_host_name text,
    p_status integer, p_proxy_port integer, p_start_time timestamptz, p_alive timestamptz, p_version integer)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM orleans.membership_version WHERE deployment_id = p_deployment AND version = p_version FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO orleans.membership
        (deployment_id, address, port, generation, silo_name, host_name, status, proxy_port, start_time, i_am_alive_time)
    VALUES (p_deployment, p_address, p_port, p_generation, p_silo_name, p_host_name, p_status, p_proxy_port, p_start_time, p_alive)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE orleans.membership_version SET version = version + 1, changed = now() WHERE deployment_id = p_deployment;
    RETURN true;
END $$;

-- Changes a member's status and suspicions under the same rule as insert_member.
CREATE FUNCTION orleans.update_member(
    p_deployment text, p_address text, p_port integer, p_generation integer,
    p_status integer, p_suspect_times text, p_alive timestamptz, p_version integer)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM orleans.membership_version WHERE deployment_id = p_deployment AND version = p_version FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE orleans.membership SET status = p_status, suspect_times = p_suspect_times, i_am_alive_time = p_alive
    WHERE deployment_id = p_deployment AND address = p_address AND port = p_port AND generation = p_generation;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE orleans.membership_version SET version = version + 1, changed = now() WHERE deployment_id = p_deployment;
    RETURN true;
END $$;

-- Every cluster with its members, under the column names that Orleans reads; a cluster without members is one row of nulls.
CREATE VIEW orleans.membership_with_version AS
SELECT v.deployment_id, v.version, m.address, m.port, m.generation, m.silo_name AS siloname, m.host_name AS hostname, m.status,
       m.proxy_port AS proxyport, m.suspect_times AS suspecttimes, m.start_time AS starttime, m.i_am_alive_time AS iamalivetime
FROM orleans.membership_version v LEFT JOIN orleans.membership m USING (deployment_id);

INSERT INTO orleans.orleansquery (querykey, querytext) VALUES
('InsertMembershipVersionKey', 'SELECT orleans.insert_membership_version(@DeploymentId)'),
('InsertMembershipKey',
 'SELECT orleans.insert_member(@DeploymentId, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime, @Version)'),
('UpdateMembershipKey',
 'SELECT orleans.update_member(@DeploymentId, @Address, @Port, @Generation, @Status, @SuspectTimes, @IAmAliveTime, @Version)'),
-- A sign of life is no change of the membership: the version stays.
('UpdateIAmAlivetimeKey',
 'UPDATE orleans.membership SET i_am_alive_time = @IAmAliveTime
  WHERE deployment_id = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation'),
-- The condition on the member stands in the join: the version comes back even where the member is unknown.
('MembershipReadRowKey',
 'SELECT v.version, m.address, m.port, m.generation, m.siloname, m.hostname, m.status, m.proxyport, m.suspecttimes, m.starttime, m.iamalivetime
  FROM orleans.membership_version v LEFT JOIN orleans.membership_with_version m
    ON m.deployment_id = v.deployment_id AND m.address = @Address AND m.port = @Port AND m.generation = @Generation
  WHERE v.deployment_id = @DeploymentId'),
('MembershipReadAllKey', 'SELECT * FROM orleans.membership_with_version WHERE deployment_id = @DeploymentId'),
('DeleteMembershipTableEntriesKey', 'DELETE FROM orleans.membership_version WHERE deployment_id = @DeploymentId'),
-- A proxy port of 0 is a silo without a gateway.
('GatewaysQueryKey',
 'SELECT address, proxy_port AS proxyport, generation FROM orleans.membership
  WHERE deployment_id = @DeploymentId AND status = @Status AND proxy_port > 0'),
('CleanupDefunctSiloEntriesKey',
 'DELETE FROM orleans.membership WHERE deployment_id = @DeploymentId AND status = 6 AND i_am_alive_time < @IAmAliveTime'),
-- Takes one dead member away, only if nothing about it changed since the caller read it.
('CleanupDefunctSiloEntryKey',
 'DELETE FROM orleans.membership
  WHERE deployment_id = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation AND status = 6
    AND start_time = @StartTime AND i_am_alive_time = @IAmAliveTime AND suspect_times IS NOT DISTINCT FROM @SuspectTimes');

-- ---- Grain state -----------------------------------------------------------------------------------------------------------

-- One row a persisted document of a grain. The hashes come from Orleans and only make the index narrow to search;
-- grain_key is null for grains with a pure number or GUID key, hence NULLS NOT DISTINCT: two nulls are the same grain.
CREATE TABLE orleans.storage (
    grain_id_hash   integer NOT NULL,
    grain_type_hash integer NOT NULL,
    grain_id_n0     bigint NOT NULL,
    grain_id_n1     bigint NOT NULL,
    service_id      text NOT NULL,
    grain_type      text NOT NULL,
    grain_key       text,
    payload         bytea,
    version         integer NOT NULL,
    changed         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT storage_key UNIQUE NULLS NOT DISTINCT
        (grain_id_hash, grain_type_hash, grain_id_n0, grain_id_n1, service_id, grain_type, grain_key)
);

-- Writes a document over the version that the grain read (null: it read nothing) and gives the new version;
-- no row means that somebody else wrote in between, and nothing was written.
CREATE FUNCTION orleans.write_state(
    p_id_hash integer, p_type_hash integer, p_n0 bigint, p_n1 bigint, p_service text, p_type text, p_key text,
    p_version integer, p_payload bytea)
RETURNS TABLE (newgrainstateversion integer) LANGUAGE plpgsql AS $$
BEGIN
    IF p_version IS NULL THEN
        RETURN QUERY INSERT INTO orleans.storage
            (grain_id_hash, grain_type_hash, grain_id_n0, grain_id_n1, service_id, grain_type, grain_key, payload, version)
        VALUES (p_id_hash, p_type_hash, p_n0, p_n1, p_service, p_type, p_key, p_payload, 1)
        ON CONFLICT DO NOTHING
        RETURNING version;
    ELSE
        RETURN QUERY UPDATE orleans.storage SET payload = p_payload, version = version + 1, changed = now()
        WHERE grain_id_hash = p_id_hash AND grain_type_hash = p_type_hash AND grain_id_n0 = p_n0 AND grain_id_n1 = p_n1
          AND service_id = p_service AND grain_type = p_type AND grain_key IS NOT DISTINCT FROM p_key AND version = p_version
        RETURNING version;
    END IF;
END $$;

INSERT INTO orleans.orleansquery (querykey, querytext) VALUES
('WriteToStorageKey',
 'SELECT newgrainstateversion FROM orleans.write_state(@GrainIdHash, @GrainTypeHash, @GrainIdN0, @GrainIdN1, @ServiceId,
      @GrainTypeString, @GrainIdExtensionString, @GrainStateVersion, @PayloadBinary)'),
('ReadFromStorageKey',
 'SELECT payload AS payloadbinary, version FROM orleans.storage
  WHERE grain_id_hash = @GrainIdHash AND grain_type_hash = @GrainTypeHash AND grain_id_n0 = @GrainIdN0 AND grain_id_n1 = @GrainIdN1
    AND service_id = @ServiceId AND grain_type = @GrainTypeString AND grain_key IS NOT DISTINCT FROM @GrainIdExtensionString'),
-- The row stays, empty, so that its version goes on rising.
('ClearStorageKey',
 'UPDATE orleans.storage SET payload = NULL, version = version + 1, changed = now()
  WHERE grain_id_hash = @GrainIdHash AND grain_type_hash = @GrainTypeHash AND grain_id_n0 = @GrainIdN0 AND grain_id_n1 = @GrainIdN1
    AND service_id = @ServiceId AND grain_type = @GrainTypeString AND grain_key IS NOT DISTINCT FROM @GrainIdExtensionString
    AND version = @GrainStateVersion
  RETURNING version AS newgrainstateversion'),
-- Orleans takes an unchanged version for a conflict: a deleted document answers the one after its last.
('DeleteStorageKey',
 'DELETE FROM orleans.storage
  WHERE grain_id_hash = @GrainIdHash AND grain_type_hash = @GrainTypeHash AND grain_id_n0 = @GrainIdN0 AND grain_id_n1 = @GrainIdN1
    AND service_id = @ServiceId AND grain_type = @GrainTypeString AND grain_key IS NOT DISTINCT FROM @GrainIdExtensionString
    AND version = @GrainStateVersion
  RETURNING version + 1 AS newgrainstateversion');

-- ---- Reminders -------------------------------------------------------------------------------------------------------------

-- One row a reminder; period in milliseconds.
CREATE TABLE orleans.reminder (
    service_id    text NOT NULL,
    grain_id      text NOT NULL,
    reminder_name text NOT NULL,
    start_time    timestamptz NOT NULL,
    period        bigint NOT NULL,
    grain_hash    integer NOT NULL,
    version       integer NOT NULL DEFAULT 0,
    PRIMARY KEY (service_id, grain_id, reminder_name)
);
-- Each silo reads the reminders of its ranges of the hash ring.
CREATE INDEX reminder_by_hash ON orleans.reminder (service_id, grain_hash);

-- Reminders under the column names that Orleans reads.
CREATE VIEW orleans.reminder_row AS
SELECT service_id, grain_hash, grain_id AS grainid, reminder_name AS remindername, start_time AS starttime, period, version
FROM orleans.reminder;

INSERT INTO orleans.orleansquery (querykey, querytext) VALUES
('UpsertReminderRowKey',
 'INSERT INTO orleans.reminder AS r (service_id, grain_id, reminder_name, start_time, period, grain_hash)
  VALUES (@ServiceId, @GrainId, @ReminderName, @StartTime, @Period, @GrainHash)
  ON CONFLICT (service_id, grain_id, reminder_name) DO UPDATE
      SET start_time = excluded.start_time, period = excluded.period, grain_hash = excluded.grain_hash, version = r.version + 1
  RETURNING version'),
('ReadReminderRowsKey', 'SELECT * FROM orleans.reminder_row WHERE service_id = @ServiceId AND grainid = @GrainId'),
('ReadReminderRowKey',
 'SELECT * FROM orleans.reminder_row WHERE service_id = @ServiceId AND grainid = @GrainId AND remindername = @ReminderName'),
-- A range is open at its begin and closed at its end; the second form is for one that passes the end of the numbers.
('ReadRangeRows1Key',
 'SELECT * FROM orleans.reminder_row WHERE service_id = @ServiceId AND grain_hash > @BeginHash AND grain_hash <= @EndHash'),
('ReadRangeRows2Key',
 'SELECT * FROM orleans.reminder_row WHERE service_id = @ServiceId AND (grain_hash > @BeginHash OR grain_hash <= @EndHash)'),
('DeleteReminderRowKey',
 'WITH gone AS (
      DELETE FROM orleans.reminder
      WHERE service_id = @ServiceId AND grain_id = @GrainId AND reminder_name = @ReminderName AND version = @Version
      RETURNING 1)
  SELECT EXISTS (SELECT FROM gone)'),
('DeleteReminderRowsKey', 'DELETE FROM orleans.reminder WHERE service_id = @ServiceId');
