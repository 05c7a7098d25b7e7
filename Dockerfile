# A host of the reference application; the first argument after it is a command of docs/cli.md.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet publish src/FlightDelays -c Release -o /app

FROM mcr.microsoft.com/dotnet/aspnet:10.0
# LightGBM needs OpenMP.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /app .
ENTRYPOINT ["dotnet", "FlightDelays.dll"]
