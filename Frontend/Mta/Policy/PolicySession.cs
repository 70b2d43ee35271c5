using MailCluster.Net;

namespace MailCluster.Mta.Policy;

/// <summary>Requests of name=value lines, each ended by an empty line; answers of one action= line and an empty one.</summary>
internal sealed class PolicySession(IConnection connection, RecipientPolicy policy) : MtaSession(connection)
{
    /// <summary>Lines of one request: Postfix sends some thirty.</summary>
    private const int MaxAttributes = 200;

    protected override async ValueTask<bool> StepAsync()
    {
        var request = new PolicyRequest();
        for (int count = 0; ; count++)
        {
            if (await ReadLineAsync() is not { } line || count > MaxAttributes)
                return false;
            if (line.Length == 0)
                break;
            int equals = line.IndexOf('=');
            if (equals < 0)
                return false;
            request.Set(line[..equals], line[(equals + 1)..]);
        }
        Write($"action={await policy.DecideAsync(request, Connection.Closed)}\n\n");
        return true;
    }
}

/// <summary>What is looked at of a request.</summary>
internal sealed class PolicyRequest
{
    public string Kind { get; private set; } = "";

    /// <summary>RCPT, DATA, END-OF-MESSAGE…</summary>
    public string State { get; private set; } = "";

    public string Recipient { get; private set; } = "";

    /// <summary>Octets as the client announced or sent them; 0 for unknown.</summary>
    public long Size { get; private set; }

    public void Set(string name, string value)
    {
        switch (name)
        {
            case "request":
                Kind = value;
                break;
            case "protocol_state":
                State = value;
                break;
            case "recipient":
                Recipient = value;
                break;
            case "size":
                Size = long.TryParse(value, out long size) && size >= 0 ? size : 0;
                break;
        }
    }
}
