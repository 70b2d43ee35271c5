using System.Security.Cryptography;
using System.Text;
using MailCluster.Contracts;
using MailCluster.Net;
using MailCluster.Sasl;

namespace MailCluster.Mta.DovecotAuth;

/// <summary>One mail server's process: lines of fields with tabs between, requests numbered by it, one answered after the other.</summary>
internal sealed class DovecotAuthSession(IConnection connection, SaslServer sasl, long number) : MtaSession(connection)
{
    /// <summary>Exchanges that wait for a response at once. Postfix has one.</summary>
    private const int MaxExchanges = 64;

    private readonly Dictionary<uint, (SaslExchange Exchange, SaslConnection Client)> _exchanges = [];
    private bool _greeted;

    public override Task RunAsync()
    {
        Write("VERSION\t1\t2\n");
        // Those that work under TLS; where a client has none is said with each request. Those that are about the TLS session itself are not among them: it is the mail server's.
        foreach (string mechanism in sasl.Mechanisms(new SaslConnection("smtp", "", "") { Secure = true, MayLogIn = true }))
            Write($"MECH\t{mechanism}{(mechanism is "PLAIN" or "LOGIN" ? "\tplaintext" : "")}\n");
        Write($"SPID\t{Environment.ProcessId}\nCUID\t{number}\nCOOKIE\t{RandomNumberGenerator.GetHexString(32, lowercase: true)}\nDONE\n");
        return base.RunAsync();
    }

    protected override async ValueTask<bool> StepAsync()
    {
        if (await ReadLineAsync() is not { } line)
            return false;
        string[] fields = line.Split('\t');
        switch (fields[0])
        {
            case "VERSION":
                _greeted = fields.Length > 1 && fields[1] == "1";
                return _greeted;
            case "CPID":
                return _greeted;
            case "AUTH" when _greeted && fields.Length >= 3 && uint.TryParse(fields[1], out uint id):
                await BeginAsync(id, fields[2], fields.AsMemory(3));
                return true;
            case "CONT" when _greeted && fields.Length >= 3 && uint.TryParse(fields[1], out uint id):
                await ContinueAsync(id, fields[2]);
                return true;
            case "CANCEL" when _greeted && fields.Length >= 2 && uint.TryParse(fields[1], out uint id):
                _exchanges.Remove(id);
                return true;
            default:
                // What is not known is passed over (a later minor version); what is broken, or comes before VERSION, is not this protocol.
                return _greeted && fields[0] is not ("AUTH" or "CONT" or "CANCEL");
        }
    }

    private async ValueTask BeginAsync(uint id, string mechanism, ReadOnlyMemory<string> parameters)
    {
        var request = new AuthRequest(parameters.Span);
        // One command's SASL session has an id of its own in the logs.
        SaslConnection client = request.Client($"{Connection.SessionId}-{id}");
        (SaslExchange? exchange, SaslFailure? refused) = sasl.Begin(mechanism, client);
        if (exchange is null)
            Fail(id, refused!);
        else if (_exchanges.ContainsKey(id) || _exchanges.Count >= MaxExchanges)
            Fail(id, new SaslFailure(new MailError(MailErrorCode.Limit, "Too many log-ins at once.")));
        else
            await StepAsync(id, exchange, client, request.Response);
    }

    private async ValueTask ContinueAsync(uint id, string response)
    {
        if (_exchanges.Remove(id, out var open))
            await StepAsync(id, open.Exchange, open.Client, response);
        else
            Fail(id, new SaslFailure(new MailError(MailErrorCode.Cannot, "There is no such request.")));
    }

    private async ValueTask StepAsync(uint id, SaslExchange exchange, SaslConnection client, string? line)
    {
        byte[]? response = null;
        if (line is not null && !SaslText.TryDecode(Encoding.UTF8.GetBytes(line), out response))
        {
            Fail(id, new SaslFailure(new MailError(MailErrorCode.Cannot, "The response is not base64."), SaslFailureKind.Malformed));
            return;
        }
        SaslStep step = await exchange.NextAsync(response, Connection.Closed);
        CryptographicOperations.ZeroMemory(response);
        switch (step)
        {
            case SaslChallenge challenge:
                _exchanges[id] = (exchange, client);
                Write($"CONT\t{id}\t{Convert.ToBase64String(challenge.Bytes.Span)}\n");
                break;
            case SaslSuccess success:
                Write($"OK\t{id}\tuser={AuthRequest.Escape(success.Settings.User)}\n");
                break;
            case SaslFailure failure:
                Fail(id, failure);
                break;
        }
    }

    private void Fail(uint id, SaslFailure failure)
    {
        // "temp" makes the mail server answer 454, try again, in place of 535.
        string temporary = failure.Error.Code is MailErrorCode.Unavailable or MailErrorCode.Limit ? "\ttemp" : "";
        string code = failure.Error.Code == MailErrorCode.AuthorizationFailed ? "\tauthz" : "";
        Write($"FAIL\t{id}{temporary}{code}\treason={AuthRequest.Escape(failure.Error.Text)}\n");
    }
}
