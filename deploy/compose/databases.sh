# Run once by the PostgreSQL image, when its volume is empty: a database and a role for each service, and no way from one
# into the other. The owner of a database makes its tables; neither role can make roles or databases.
set -eu
: "${GATEWAY_DATABASE_PASSWORD:?}" "${SCORER_DATABASE_PASSWORD:?}"
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\getenv gateway_password GATEWAY_DATABASE_PASSWORD
\getenv scorer_password SCORER_DATABASE_PASSWORD
CREATE ROLE gateway LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'gateway_password';
CREATE ROLE scorer LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'scorer_password';
CREATE DATABASE riskgate_gateway OWNER gateway ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0;
CREATE DATABASE riskgate_scorer OWNER scorer ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0;
REVOKE ALL ON DATABASE riskgate_gateway, riskgate_scorer, postgres, template1 FROM PUBLIC;
SQL
