{# Clients: the user agent as the client sent it, and the part of the address that may be shown. #}

{% macro client_user_agent(user_agent) -%}
    {{ regexp_group(user_agent, "'(?s)^(.*?)(?:(?:^|,)gzip[(]gfe[)])?$'") }}
{%- endmacro %}


{% macro product_name(user_agent) -%}
    {{ regexp_group(user_agent, "'^([0-9A-Za-z][0-9A-Za-z._+~-]{0,63})(?:$|[/ (),;])'") }}
{%- endmacro %}


{# An unknown agent must not get the name of a known tool, or of a missing agent. #}
{% macro unknown_tool(user_agent) -%}
    case
        when {{ user_agent }} is null then 'none'
        when
            {{ product_name(user_agent) }} != 'none'
            and {{ product_name(user_agent) }} not in (
                select rules.tool from {{ ref('pullstats', 'user_agents') }} as rules
            )
            then {{ product_name(user_agent) }}
        else 'other'
    end
{%- endmacro %}


{% macro version_part(version, part) -%}
    cast({{ regexp_group(version, "'^v?" ~ '[0-9]+[.]' * (part - 1) ~ "([0-9]{1,9})'") }} as int64)
{%- endmacro %}


{% macro client_network(address) -%}
    case
        when {{ regexp_like(address, "'^(::ffff:)?[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+$'") }}
            then {{ regexp_group(address, "'([0-9]+[.][0-9]+[.][0-9]+)[.]'") }} || '.0/24'
        else
            {{ regexp_group(
                "replace(lower(" ~ address ~ "), '::', ':0:0:0:')",
                "'^:?([0-9a-f]+:[0-9a-f]+:[0-9a-f]+)(?:$|:)'"
            ) }} || '::/48'
    end
{%- endmacro %}


{% macro client_id(address, user_agent, salt) -%}
    {{ hash_of([salt, address, user_agent]) }}
{%- endmacro %}


{% macro classified_clients(relation) -%}
    select
        clients.client_ip,
        clients.user_agent,
        {{ client_id('clients.client_ip', 'clients.client_user_agent', 'client_salt.salt') }}
            as client_id,
        {{ client_network('clients.client_ip') }} as client_network,
        coalesce(agents.tool, {{ unknown_tool('clients.client_user_agent') }}) as client_tool,
        agents.client_version,
        coalesce(agents.traffic_class, 'unknown') as client_class
    from (
        select
            client_ip,
            user_agent,
            {{ client_user_agent('user_agent') }} as client_user_agent
        from (select distinct client_ip, user_agent from {{ relation }}) as logged
    ) as clients
    cross join {{ source('private', 'client_salt') }} as client_salt
    left join (
        select
            known.user_agent,
            rules.tool,
            {{ regexp_group('known.user_agent', 'rules.version_pattern') }} as client_version,
            rules.traffic_class
        from (
            select distinct {{ client_user_agent('user_agent') }} as user_agent
            from (select distinct user_agent from {{ relation }}) as logged
        ) as known
        inner join {{ ref('pullstats', 'user_agents') }} as rules
            on {{ regexp_like('known.user_agent', 'rules.agent_pattern') }}
        qualify row_number() over (partition by known.user_agent order by rules.priority) = 1
    ) as agents on clients.client_user_agent = agents.user_agent
{%- endmacro %}
