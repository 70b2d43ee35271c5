-- Front-end nodes that keep the list of their sessions; one that was not seen for some seconds has none.
create unlogged table directory.front_end (
    node text primary key,
    seen timestamptz not null default now()
);

-- Who is logged in where, for administrators; some seconds old. Never what a limit is decided by.
create unlogged table directory.session (
    node       text not null,
    session_id text not null,
    account_id bigint not null,
    tenant_id  bigint not null,
    user_name  text not null,
    protocol   text not null,
    address    text not null,
    since      timestamptz not null,
    primary key (node, session_id)
);
-- Lists a user's sessions.
create index session_by_user on directory.session (user_name);
