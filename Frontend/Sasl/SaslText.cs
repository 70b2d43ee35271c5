using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Unicode;

namespace MailCluster.Sasl;

/// <summary>Octets and text of log-ins.</summary>
public static class SaslText
{
    /// <summary>A response as lines of protocols carry it; false for what is not base64, white space in it included (RFC 4648 section 3.3).</summary>
    public static bool TryDecode(ReadOnlySpan<byte> base64, out byte[] response)
    {
        response = [];
        if (base64.ContainsAny(" \t\r\n"u8) || !Base64.IsValid(base64, out int length))
            return false;
        response = new byte[length];
        return Base64.DecodeFromUtf8(base64, response, out _, out int written) == OperationStatus.Done && written == length;
    }

    /// <summary>Names and passwords are UTF-8; old clients send ISO 8859-1.</summary>
    public static string Of(ReadOnlySpan<byte> bytes) => Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : Encoding.Latin1.GetString(bytes);
}
