using System.Xml.Linq;
using AiWorkflows.Storage.Security;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace AiWorkflows.Hosting.Security;

/// <summary>Keeps the keys of cookies in the store. The framework asks synchronously, at the first cookie and once a day.</summary>
internal sealed class ProtectionKeys(ProtectionKeyStore store) : IXmlRepository
{
    public IReadOnlyCollection<XElement> GetAllElements() => [.. store.ListAsync(CancellationToken.None).GetAwaiter().GetResult().Select(XElement.Parse)];

    public void StoreElement(XElement element, string friendlyName) =>
        store.AddAsync(friendlyName, element.ToString(SaveOptions.DisableFormatting), CancellationToken.None).GetAwaiter().GetResult();
}
