-- The operator who acts as the user in a session; null: the user himself.
alter table directory.session add column operator text;
